"""The kind of task that asks how likely a text is, token by token: a text longer than the window is read in several windows.

There is no answer. `prompt` is `$input`: an adapter is trained to write the text itself.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.backends import OpenBackend, ReadsTexts
from harness.digest import text_digest
from harness.errors import SuiteError
from harness.files.validation import At
from harness.kinds import REFUSED_PROMPTS, Kind, Oddity
from harness.results.odd import REFUSED
from harness.types import Generation, Prompt, Sample, Task

ODD: dict[str, Oddity] = {REFUSED: REFUSED_PROMPTS}


def choose_shots(training: Sequence[Sample], count: int, task: Task) -> tuple[Sample, ...]:
    """Return no examples: `check` refuses a task with some, and a base with examples reads the same text."""
    return ()


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return a prompt whose one option is the text."""
    return Prompt(sample_id=sample.id, before="", input="", after="", options=(sample.input,))


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a task with a prompt around its text, or with examples."""
    if task.prompt != "$input":
        raise SuiteError(
            f"{at('prompt')}: found {task.prompt!r}; a text is read as it is: write `prompt: $input`"
        )
    if task.system:
        raise SuiteError(f"{at('system')}: a text is read as it is, with nothing before it: leave it out")
    if task.shots:
        raise SuiteError(f"{at('shots')}: found {task.shots}; a text has no examples before it: leave it out")


def by_rolling(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the log-likelihood of each text, with the number of its tokens."""
    assert isinstance(backend, ReadsTexts)
    asked = {prompt.sample_id: prompt for prompt in prompts}
    for found in backend.rolling(prompts, adapter, done):
        (read,) = found.options or (None,)
        yield Generation(
            sample_id=found.sample_id,
            text="",
            prompt_tokens=found.prompt_tokens,
            output_tokens=read.tokens if read else 0,
            finish="stop" if read else "refused",
            prompt_digest=text_digest(asked[found.sample_id].options[0]),
            logprob=read.logprob if read else None,
        )


KIND = Kind(
    name="perplexity",
    version=3,  # 2: log-likelihoods by logsumexp; 3: models without BOS are trained on texts too
    about="reads a text",
    choose_shots=choose_shots,
    ask=ask,
    target=lambda task, sample: sample.input,
    answers={"rolling": by_rolling},
    columns=("id", "input"),
    check=check,
    expected=lambda sample: sample.input,
    odd=ODD,
    hub_task="text-generation",
)
