"""How many answers of a system are empty, and how many of its prompts were shortened or refused: the notes count them."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.results import Result
from harness.types import System

EMPTY, SHORTENED, REFUSED = "empty", "truncated", "refused"  # kinds of notes
MANY_EMPTY = 0.05  # share of a system's answers from which on its score says little
MANY_SHORTENED = 0.01  # share of a task's prompts from which on shortening is no footnote


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some of the samples that a system was asked."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0


NONE = Share(count=0, of=0)


def place(task: str, system: System) -> str:
    """Return what a note calls a system's answers to a task."""
    return f"{task}, {system}"


def counted(result: Result, kind: str) -> Mapping[tuple[str, System], Share]:
    """Return the shares of one kind by task and system; those without such samples are left out."""
    systems = {place(one.task, one.system): (one.task, one.system) for one in result.scores}
    return {
        systems[note.where]: Share(count=note.count, of=note.of)
        for note in result.notes
        if note.kind == kind and note.where in systems
    }


def mostly_empty(result: Result) -> Mapping[tuple[str, System], Share]:
    """Return those of whose answers more than 5 % are empty, where the task does not expect such answers."""
    allowed = {task.name for task in result.suite.tasks if task.allow_empty}
    found = counted(result, EMPTY)
    return {key: share for key, share in found.items() if share.share > MANY_EMPTY and key[0] not in allowed}
