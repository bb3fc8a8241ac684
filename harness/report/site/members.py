"""The RESULTs of a site, and the line that the index shows of each."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness import text as words
from harness.results import Result, verdicts
from harness.results.missing import missing
from harness.types import Score
from harness.types.verdict import WORST_FIRST

State = Literal["whole", "partial", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A RESULT of a site."""

    key: str  # part of addresses: letters, digits and hyphens
    name: str  # its folder, seen from the folder that is shown
    folder: Path = field(repr=False)
    result: Result = field(repr=False)  # charts are kept by what their data looks like, and this is large

    @property
    def moment(self) -> datetime | None:
        """Return when the RESULT was made, in UTC; None if it does not say so."""
        with suppress(ValueError, OverflowError):
            made = datetime.fromisoformat(self.result.manifest.created)
            return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A folder with a result.json that cannot be shown."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The best system of a task by the primary metric."""

    task: str
    metric: str  # its name for people
    system: str
    score: Score
    ahead: str  # a trivial rule that scores higher; "" if there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """A line of the index."""

    member: Member
    made: str  # "2026-11-23 20:00", in UTC; "" if unknown
    state: State
    lacks: str  # what a partial or unfinished RESULT lacks
    headlines: tuple[Headline, ...]
    models: tuple[str, ...]
    adapters: tuple[str, ...]
    verdicts: str  # "2 pass, 1 fail"
    worst: str  # the worst verdict; "" without gates

    @property
    def suite(self) -> str:
        """Return the suite's name."""
        return words.visible(self.member.result.suite.name)

    @property
    def commit(self) -> str:
        """Return the first digits of the project's commit; "" if it is unknown."""
        return self.member.result.manifest.commit[:7]

    @property
    def count(self) -> int:
        """Return the number of systems with scores, trivial rules included."""
        return len({score.system for score in self.member.result.scores})

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the names of the tasks."""
        return tuple(words.visible(task.name) for task in self.member.result.suite.tasks)

    @property
    def systems(self) -> tuple[str, ...]:
        """Return what the filter of adapters finds the row by: the adapters, and `base` for a base alone."""
        bare = any(not s.system.is_trivial and not s.system.adapter for s in self.member.result.scores)
        return (*(("base",) if bare else ()), *self.adapters)


def row(member: Member) -> IndexRow:
    """Return the index's line of a RESULT; raise ResultError if its verdicts cannot be read."""
    result, lacks = member.result, missing(member.result.steps)
    systems = list(dict.fromkeys(score.system for score in result.scores))
    found = verdicts.follow(verdicts.read(result.folder), result)[0]
    counted = Counter(verdict.verdict for verdict in found)
    said = [word for word in WORST_FIRST if counted[word]]
    return IndexRow(
        member=member,
        made=member.moment.strftime("%Y-%m-%d %H:%M") if member.moment else "",
        state="whole" if lacks is None else "unfinished" if lacks.unfinished else "partial",
        lacks=lacks.sentence if lacks else "",
        headlines=tuple(headlines(result)),
        models=_names(system.model for system in systems if not system.is_trivial),
        adapters=_names(system.adapter for system in systems if system.adapter),
        verdicts=", ".join(f"{counted[word]} {word}" for word in said),
        worst=said[0] if said else "",
    )


def headlines(result: Result) -> Iterator[Headline]:
    """Yield the best system of each task that has a score of its primary metric."""
    for task in result.suite.tasks:
        own = [score for score in result.scores if score.task == task.name and score.metric == task.primary]
        models = [score for score in own if not score.system.is_trivial]
        if not own:
            continue
        best, rule = best_of(models or own), best_of([score for score in own if score.system.is_trivial])
        assert best is not None
        ahead = rule if rule is not best and rule is not None and _gain(rule) > _gain(best) else None
        yield Headline(
            task=task.name,
            metric=words.metric(task.primary),
            system=words.system(best.system),
            score=best,
            ahead=words.system(ahead.system) if ahead else "",
        )


def best_of(scores: Sequence[Score]) -> Score | None:
    """Return the best of scores under one metric, the first of equal ones; None if there are none."""
    return max(scores, key=_gain, default=None)


def in_json(names: Sequence[str]) -> str:
    """Return names for an attribute that the page's script reads."""
    return json.dumps(list(names))


def _gain(score: Score) -> float:
    return score.value if score.better == "higher" else -score.value


def _names(names: Iterator[str | None] | Sequence[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words.visible(name) for name in names if name))
