"""Kinds of task: each a file with a `KIND`, a few pure functions over a backend's verbs.

A task names its kind: `kind: generate`. Another package's kind is found by its entry point in the group `harness.kinds`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import plugins
from harness.backends import OpenBackend
from harness.errors import SuiteError, UnknownName
from harness.types import Generation, Prompt, Sample, Task

COLUMNS = ("id", "input", "reference", "choices")  # what a source can name columns for

Answer = Callable[
    [OpenBackend, Sequence[Prompt], Task, Path | None, Collection[str]],  # the last: ids that are answered
    Iterator[Generation],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of task: what is asked of a model, what training writes, and how an answer comes about."""

    name: str  # as a task writes it
    choose_shots: Callable[[Sequence[Sample], int], Sequence[Sample]]  # training samples, count -> examples
    ask: Callable[[Task, Sample, Sequence[Sample]], Prompt]  # task, sample, examples -> prompt
    target: Callable[[Sample], str]  # what an adapter is trained to write
    answer: Answer  # the answers as they finish, in any order
    columns: tuple[str, ...] = ("id", "input", "reference")  # the columns that it reads, of COLUMNS


def find(name: str, where: str = "") -> Kind:
    """Return the kind of that name; UnknownName where there is none, SuiteError where its plug-in has no sound KIND."""
    if name not in plugins.names("kinds"):
        raise UnknownName("task kind", name, plugins.names("kinds"), where)
    module = plugins.find("kinds", name, where)
    kind = getattr(module, "KIND", None)
    if problem := _problem(kind, name):
        place = f"{where}: " if where else ""
        raise SuiteError(f"{place}the plug-in {name!r} ({module.__name__}) is no kind of task: {problem}")
    assert isinstance(kind, Kind)
    return kind


def _problem(kind: object, name: str) -> str:
    """Return what is wrong with a plug-in's KIND; nothing where it is sound."""
    if not isinstance(kind, Kind):
        return "it has no `KIND = harness.kinds.Kind(…)`"
    if kind.name != name:
        return f"its KIND is named {kind.name!r}"
    for part in ("choose_shots", "ask", "target", "answer"):
        if not callable(getattr(kind, part)):
            return f"KIND.{part} is no function"
    others = [column for column in kind.columns if column not in COLUMNS]
    return f"KIND.columns holds {others[0]!r}; known: {', '.join(COLUMNS)}" if others else ""
