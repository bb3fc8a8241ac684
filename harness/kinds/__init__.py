"""Kinds of task: each a file with a `KIND`, a few pure functions over a backend's verbs.

A task names its kind: `kind: generate`. A kind is a file of this folder, a file of the user's own project that the suite
lists under `plugins`, or another package's entry point in the group `harness.kinds`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from harness import backends, plugins
from harness.backends import GivesLikelihoods, OpenBackend, Verb
from harness.digest import text_digest
from harness.errors import SuiteError, UnknownName
from harness.files.json_lines import from_json
from harness.files.validation import At
from harness.plugins.choice import parse
from harness.results.odd import EMPTY, REFUSED, SHORTENED
from harness.tasks import prompts
from harness.types import Generation, Likelihoods, Model, ModelPin, Option, Overflow, Prompt, Sample, Task

# What a source can name columns for.
USUAL = ("id", "input", "reference")
COLUMNS = (*USUAL, "choices", "chosen", "rejected")
AGAINST = (
    "against"  # value of a metric's setting: likelihoods are compared with others (tasks/likelihoods.py)
)

Answer = Callable[
    [OpenBackend, Sequence[Prompt], Task, Path | None, Collection[str]],  # the last: ids that are answered
    Iterator[Generation],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A fault that an answer can have; the report counts such answers."""

    said: str  # name of such answers, in plural: "answers without a word"
    holds: Callable[[Generation], bool]


SHORTENED_PROMPTS = Oddity(
    said="prompts whose input was shortened to fit", holds=lambda answer: answer.truncated_tokens > 0
)
REFUSED_PROMPTS = Oddity(said="prompts too long to ask", holds=lambda answer: answer.finish == "refused")
ODD_WRITING: Mapping[str, Oddity] = {
    SHORTENED: SHORTENED_PROMPTS,
    EMPTY: Oddity(said="answers without a word", holds=lambda answer: not answer.text.strip()),
    "cut short": Oddity(
        said="answers that reached the token limit", holds=lambda answer: answer.finish == "length"
    ),
    REFUSED: REFUSED_PROMPTS,
}
ODD_CHOOSING: Mapping[str, Oddity] = {SHORTENED: SHORTENED_PROMPTS, REFUSED: REFUSED_PROMPTS}


def check_prompt(task: Task, at: At) -> None:
    """Raise SuiteError if the task's prompt is no template that a sample can fill."""
    prompts.check(task, where=at("prompt"))


def refuse_against(task: Task, at: At, remedy: str) -> None:
    """Raise SuiteError for a metric that compares likelihoods with others, in a task that does not ask for those others."""
    for n, metric in enumerate(task.metrics):
        if AGAINST in parse(metric).settings.values():
            raise SuiteError(
                f"{at('metrics', n)}: {metric} compares each likelihood with another one, which the task does not ask for; "
                f"{remedy}"
            )


def references(sample: Sample) -> str:
    """Return the reference answers in one line."""
    return " | ".join(sample.references)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoKindSettings:
    """The settings of a kind that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of task: how a prompt is made, what an adapter learns to write, and how answers are obtained."""

    name: str  # as a task writes it
    about: str = ""  # what a model is asked for, as a clause
    version: int = 1  # raised where the same model gives other answers to the same task
    # A frozen record: the settings that a task may have, with their defaults.
    settings: type[Any] = NoKindSettings
    # Training samples, count, task -> the examples before every prompt.
    choose_shots: Callable[[Sequence[Sample], int, Task], Sequence[Sample]]
    ask: Callable[[Task, Sample, Sequence[Sample]], Prompt]  # task, sample, examples -> prompt
    target: Callable[[Task, Sample], str]  # what an adapter is trained to write
    # What is asked of a backend -> the answers as they finish, in any order. A model is asked for the first that it has.
    answers: Mapping[Verb, Answer]
    # Sample -> the answer that an adapter learns to avoid; None where a kind has no such answers.
    rejected: Callable[[Sample], str] | None = None
    verbs: Callable[[Task], tuple[Verb, ...]] | None = (
        None  # those of `answers` that a task allows; None: all
    )
    columns: tuple[str, ...] = USUAL  # those of COLUMNS that it reads
    # Why a model cannot be asked a task although it has a verb for it, as a clause; None where it can.
    unable: Callable[[Task, Model], str | None] = lambda task, model: None
    # Those of a task's metrics that its answers depend on.
    answers_by: Callable[[Task], tuple[str, ...]] = lambda task: ()
    # Settings that an adapter's training does not depend on.
    of_answers: tuple[str, ...] = ()
    # Answers that are written to each prompt.
    draws: Callable[[Task], int] = lambda task: 1
    # Raises SuiteError for a task that does not fit the kind.
    check: Callable[[Task, At], None] = check_prompt
    expected: Callable[[Sample], str] = references  # how the wanted answer is shown beside a prompt
    odd: Mapping[str, Oddity] = field(default_factory=lambda: ODD_WRITING)  # kind of note -> what it counts
    # The trivial rule that stands in for a base whose head is not trained, as an encoder's.
    stand_in: str | None = None
    # The hub's name for it on a model card; None: the name of the model's own task.
    hub_task: str | None = None

    def writes(self, task: Task) -> bool:
        """Return whether a task of this kind may ask a model to write."""
        return "write" in self._allowed(task)

    def verb(self, task: Task, model: Model, pin: ModelPin) -> Verb | None:
        """Return what a model is asked for by a task of this kind; None where it cannot be asked."""
        if self.unable(task, model) is not None:
            return None
        return next((verb for verb in self._allowed(task) if _lacks(task, model, pin, verb) is None), None)

    def lacks(self, task: Task, model: Model, pin: ModelPin) -> str | None:
        """Return why a model cannot be asked a task of this kind, as a clause; None where it can."""
        if self.verb(task, model, pin) is not None:
            return None
        return _lacks(task, model, pin, self._allowed(task)[-1]) or self.unable(task, model)

    def _allowed(self, task: Task) -> tuple[Verb, ...]:
        return tuple(self.answers) if self.verbs is None else self.verbs(task)


def _lacks(task: Task, model: Model, pin: ModelPin, verb: Verb) -> str | None:
    """Return why a model cannot be asked for a verb as a task asks for it, as a clause; None where it can."""
    if (reason := backends.lacks(model, pin, verb)) is not None:
        return reason
    sampled = verb == "write" and task.decode.temperature > 0
    return backends.lacks_sampling(model, pin) if sampled else None


def likeliest(
    backend: OpenBackend,
    prompts: Sequence[Prompt],
    overflow: Overflow,
    adapter: Path | None,
    done: Collection[str],
    against: Mapping[str, Likelihoods] | None = None,  # sample -> what the likelihoods are compared with
) -> Iterator[Generation]:
    """Yield for each prompt the option with the greatest sum of log-likelihoods, the first of equals, with those of all."""
    assert isinstance(backend, GivesLikelihoods)
    asked = {prompt.sample_id: prompt for prompt in prompts}
    for found in backend.likelihoods(prompts, overflow, adapter, done):
        prompt = asked[found.sample_id]
        compared = against[found.sample_id].options if against else (None,) * len(found.options)
        options = (
            tuple(
                Option(
                    text=answer,
                    logprob=likelihood.logprob,
                    tokens=likelihood.tokens,
                    bytes=len((answer if prompt.exact else option).encode("utf-8", "surrogatepass")),
                    against=other.logprob if other else None,
                )
                for option, answer, likelihood, other in zip(
                    prompt.options, prompt.answers or prompt.options, found.options, compared, strict=True
                )
            )
            if found.options
            else ()
        )
        best = max(options, key=lambda option: option.logprob, default=None)
        yield Generation(
            sample_id=found.sample_id,
            text=best.text if best else "",
            prompt_tokens=found.prompt_tokens,
            truncated_tokens=found.truncated_tokens,
            finish="stop" if options else "refused",
            prompt_digest=text_digest(prompt.text),
            logprob=best.logprob if best else None,
            options=options,
        )


def settings_of(task: Task) -> Any:
    """Return the settings of a task's kind, which were checked when the suite was read."""
    return from_json(find(task.kind).settings, task.settings)


def find(name: str, where: str = "") -> Kind:
    """Return the kind of that name; raise UnknownName if there is none, SuiteError if its plug-in has no valid KIND."""
    if name not in plugins.names("kinds"):
        raise UnknownName("task kind", name, plugins.names("kinds"), where)
    module = plugins.find("kinds", name, where)
    kind = getattr(module, "KIND", None)
    if problem := _problem(kind, name):
        place = f"{where}: " if where else ""
        raise SuiteError(f"{place}the plug-in {name!r} ({module.__name__}) is no kind of task: {problem}")
    assert isinstance(kind, Kind)
    return kind


def known(name: str) -> Kind | None:
    """Return the kind that a RESULT names; None if it is not installed here."""
    return find(name) if name in plugins.names("kinds") else None


def _problem(kind: object, name: str) -> str:
    """Return what is wrong with a plug-in's KIND; an empty text if it is valid."""
    if not isinstance(kind, Kind):
        return "it has no `KIND = harness.kinds.Kind(…)`"
    if kind.name != name:
        return f"its KIND is named {kind.name!r}"
    if not kind.answers:
        return "KIND.answers is empty"
    for verb in kind.answers:
        if verb not in get_args(Verb):
            return f"KIND.answers has {verb!r}; known: {', '.join(get_args(Verb))}"
    functions: dict[str, object] = {f"answers[{verb!r}]": answer for verb, answer in kind.answers.items()}
    for part in ("choose_shots", "ask", "target", "check", "expected", "unable", "answers_by", "draws"):
        functions[part] = getattr(kind, part)
    for part, function in functions.items():
        if not callable(function):
            return f"KIND.{part} is no function"
    others = [column for column in kind.columns if column not in COLUMNS]
    return f"KIND.columns holds {others[0]!r}; known: {', '.join(COLUMNS)}" if others else ""
