"""The kind of task that asks for a number: of an encoder's head, or written as text."""

import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.backends import HasHead, OpenBackend
from harness.digest import text_digest
from harness.errors import DataError, SuiteError
from harness.files.validation import At
from harness.kinds import ODD_WRITING, Kind, Oddity, check_prompt, generate
from harness.tasks import numbers
from harness.tasks.prompts import render
from harness.types import Generation, Prompt, Sample, Task


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples; raise DataError if its reference is no number."""
    for reference in sample.references:
        if wrong := numbers.problem(reference):
            raise DataError(
                f"task {task.name or '(unnamed)'}: sample {sample.id!r}: {wrong}; correct it, or drop the row"
            )
    return render(task, sample, shots)


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a prompt that a sample cannot fill, or for labels, which a number has none of."""
    check_prompt(task, at)
    if task.source.labels:
        raise SuiteError(
            f"{at('source', 'labels')}: a task of kind regress asks for a number, which has no labels; leave the key out, "
            "or write `kind: classify`"
        )


def by_head(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the number that the head gives for each prompt."""
    assert isinstance(backend, HasHead)
    asked = {prompt.sample_id: prompt for prompt in prompts}
    for output in backend.head(prompts, task.overflow, adapter, done):
        finite = bool(output.values) and math.isfinite(output.values[0])
        yield Generation(
            sample_id=output.sample_id,
            text=f"{output.values[0]:.6g}" if finite else "",
            prompt_tokens=output.prompt_tokens,
            truncated_tokens=output.truncated_tokens,
            finish="stop" if output.values else "refused",
            prompt_digest=text_digest(asked[output.sample_id].text),
        )


KIND = Kind(
    name="regress",
    about="gives a number",
    choose_shots=generate.choose_shots,
    ask=ask,
    target=generate.target,
    answers={"head": by_head, "write": generate.answer},
    check=check,
    odd={
        **ODD_WRITING,
        "no number": Oddity(
            said="answers that are no number", holds=lambda answer: numbers.number_of(answer.text) is None
        ),
    },
    stand_in="mean",
    hub_task="text-classification",
)
