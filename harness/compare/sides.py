"""Open the two sides of a comparison, A and B, and match their systems and tasks."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness.errors import ResultError, UnknownName
from harness.results import Result, TaskFacts, read
from harness.results.document import refuse_damaged
from harness.results.rows import RowFile, open_rows
from harness.types import Score, System

Systems = tuple[System, System]  # of A and of B


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A or B: a RESULT, and one of its systems if a system is named."""

    letter: str
    said: str  # as it was given
    result: Result
    rows: RowFile
    system: System | None = None

    def systems(self) -> list[System]:
        """Return all systems with scores."""
        return list(dict.fromkeys(score.system for score in self.result.scores))

    def task(self, name: str) -> TaskFacts:
        """Return the task of this name."""
        return self.result.task(name)

    def scores(self, task: str) -> dict[tuple[System, str], Score]:
        """Return the scores on a task by system and metric."""
        return {(score.system, score.metric): score for score in self.result.scores if score.task == task}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """The request for a comparison: the two sides and the options."""

    a: Side
    b: Side
    systems: Sequence[Systems]
    metric: str | None  # a pattern; None: the primary metric
    seed: int
    samples: int  # how many of the samples that changed most are listed


class Remarks:
    """Remarks on a task, each once; a remark that is not about all pairs names its pairs."""

    def __init__(self, everyone: Sequence[Systems]) -> None:
        self._everyone = everyone
        self._whose: dict[str, list[Systems]] = {}

    def add(self, text: str, pair: Systems | None = None) -> None:
        """Add a remark about a pair; None: about all pairs."""
        self._whose.setdefault(text, []).extend(self._everyone if pair is None else [pair])

    def sentences(self) -> tuple[str, ...]:
        """Return all remarks."""
        return tuple(self._sentence(text, list(dict.fromkeys(whose))) for text, whose in self._whose.items())

    def _sentence(self, text: str, whose: Sequence[Systems]) -> str:
        return text if len(whose) == len(self._everyone) else f"{text} ({', '.join(map(_pair, whose))})"


def _pair(pair: Systems) -> str:
    ours, theirs = pair
    return str(ours) if ours == theirs else f"{theirs} against {ours}"


def opened(a: str, b: str, stack: ExitStack) -> tuple[Side, Side]:
    """Open both sides and return them; a folder that both name is read once."""
    named = [parted(text) for text in (a, b)]
    folders = [folder for folder, _ in named]
    first = _sound(read(folders[0]))
    results = (first, first if folders[0].resolve() == folders[1].resolve() else _sound(read(folders[1])))
    left, right = (
        Side(
            letter=letter,
            said=said,
            result=result,
            rows=stack.enter_context(open_rows(result.folder)),
            system=None if name is None else find(result, name),
        )
        for letter, said, result, (_, name) in zip("AB", (a, b), results, named, strict=True)
    )
    return left, right


def _sound(result: Result) -> Result:
    """Return the result; ResultError if it has no scores, or a file was changed."""
    if not result.scores:
        raise ResultError(f"{result.folder}: it has no scores; run its suite again")
    refuse_damaged(result.folder, result.files)
    return result


def parted(text: str) -> tuple[Path, str | None]:
    """Return the folder and the name of the system, if there is one; both may contain a #, as adapters with a seed do."""
    cuts = [len(text), *(found.start() for found in reversed(list(re.finditer("#", text))))]
    folders = [cut for cut in cuts if Path(text[:cut]).is_dir()]
    cut = folders[0] if folders else cuts[-1]
    return Path(text[:cut]), text[cut + 1 :] if cut < len(text) else None


def find(result: Result, name: str) -> System:
    """Return the system that is printed like this, ignoring spaces; UnknownName if there is none."""
    known = {_without_spaces(str(score.system)): score.system for score in result.scores}
    if _without_spaces(name) not in known:
        raise UnknownName("system", name, map(str, known.values()), str(result.folder))
    return known[_without_spaces(name)]


def _without_spaces(name: str) -> str:
    return "".join(name.split())


def matched(a: Side, b: Side) -> tuple[list[Systems], tuple[str, ...]]:
    """Return the named systems, or all pairs of the same name, and a remark for each side on its unmatched systems."""
    example = f"{a.result.folder}#{a.systems()[-1]}"  # the last: the first may be a rule
    named = a.system or b.system
    if a.result is b.result and (a.system or named) == (b.system or named):
        raise ResultError(f"{a.said} and {b.said} are the same; name two systems, as '{example}'")
    if named is not None:
        return [(a.system or find(a.result, str(named)), b.system or find(b.result, str(named)))], ()
    both = [system for system in a.systems() if system in b.systems()]
    if not both:
        raise ResultError(
            f"{a.said} and {b.said}: no system of the same name; name one of each, as '{example}'"
        )
    return [(system, system) for system in both], (
        *_only_in(a, a.systems(), both),
        *_only_in(b, b.systems(), both),
    )


def tasks(a: Side, b: Side, pattern: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the tasks of both sides that match the pattern, and a remark for each side on its other tasks."""
    ours, theirs = ([task.name for task in side.result.suite.tasks] for side in (a, b))
    both = [name for name in ours if name in theirs]
    if not both:
        have = (f"{side.said} has {', '.join(names)}" for side, names in ((a, ours), (b, theirs)))
        raise ResultError(f"no task in common: {'; '.join(have)}")
    asked = [name for name in both if fnmatchcase(name, pattern)]
    if not asked:
        raise UnknownName("task of both results", pattern, both)
    return asked, (*_only_in(a, ours, both), *_only_in(b, theirs, both))


def _only_in(side: Side, all_of_it: Sequence[object], both: Sequence[object]) -> Iterator[str]:
    lost = [str(item) for item in all_of_it if item not in both]
    if lost:
        yield f"only in {side.letter}: {', '.join(lost)}"
