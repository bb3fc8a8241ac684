"""Kinds of task: each a file with a `KIND`, a few pure functions over a backend's verbs.

A task names its kind: `kind: generate`. A kind is a file of this folder, a file of the user's own project that the suite
lists under `plugins`, or another package's entry point in the group `harness.kinds`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from harness import plugins
from harness.backends import OpenBackend, Verb
from harness.errors import SuiteError, UnknownName
from harness.files.validation import At
from harness.results.odd import EMPTY, REFUSED, SHORTENED
from harness.tasks import prompts
from harness.types import Generation, Prompt, Sample, Task

COLUMNS = ("id", "input", "reference", "choices")  # what a source can name columns for

Answer = Callable[
    [OpenBackend, Sequence[Prompt], Task, Path | None, Collection[str]],  # the last: ids that are answered
    Iterator[Generation],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A fault that an answer can have; the report counts such answers."""

    said: str  # name of such answers, in plural: "answers without a word"
    holds: Callable[[Generation], bool]


ODD_WRITING: Mapping[str, Oddity] = {
    SHORTENED: Oddity(
        said="prompts whose input was shortened to fit", holds=lambda answer: answer.truncated_tokens > 0
    ),
    EMPTY: Oddity(said="answers without a word", holds=lambda answer: not answer.text.strip()),
    "cut short": Oddity(
        said="answers that reached the token limit", holds=lambda answer: answer.finish == "length"
    ),
    REFUSED: Oddity(said="prompts too long to ask", holds=lambda answer: answer.finish == "refused"),
}


def check_prompt(task: Task, at: At) -> None:
    """Raise SuiteError if the task's prompt is no template that a sample can fill."""
    prompts.check(task, where=at("prompt"))


def references(sample: Sample) -> str:
    """Return the reference answers in one line."""
    return " | ".join(sample.references)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of task: how a prompt is made, what an adapter learns to write, and how answers are obtained."""

    name: str  # as a task writes it
    choose_shots: Callable[[Sequence[Sample], int], Sequence[Sample]]  # training samples, count -> examples
    ask: Callable[[Task, Sample, Sequence[Sample]], Prompt]  # task, sample, examples -> prompt
    target: Callable[[Sample], str]  # what an adapter is trained to write
    answer: Answer  # the answers as they finish, in any order
    verb: Verb = "write"  # what `answer` asks of the backend
    columns: tuple[str, ...] = ("id", "input", "reference")  # those of COLUMNS that it reads
    # Raises SuiteError for a task that does not fit the kind.
    check: Callable[[Task, At], None] = check_prompt
    expected: Callable[[Sample], str] = references  # how the wanted answer is shown beside a prompt
    odd: Mapping[str, Oddity] = field(default_factory=lambda: ODD_WRITING)  # kind of note -> what it counts
    # The hub's name for it on a model card; None: the name of the model's own task.
    hub_task: str | None = None


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
    if kind.verb not in get_args(Verb):
        return f"KIND.verb is {kind.verb!r}; known: {', '.join(get_args(Verb))}"
    for part in ("choose_shots", "ask", "target", "answer", "check", "expected"):
        if not callable(getattr(kind, part)):
            return f"KIND.{part} is no function"
    others = [column for column in kind.columns if column not in COLUMNS]
    return f"KIND.columns holds {others[0]!r}; known: {', '.join(COLUMNS)}" if others else ""
