"""The section on forgetting: beside what each adapter gained on its own task, what it lost on other text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import text as words
from harness.results import Result
from harness.results.forgotten import Forgotten, forgotten
from harness.types import Comparison, System

if TYPE_CHECKING:
    from harness.report.page import TaskPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """What an adapter gained on the task that it was trained on; more is better."""

    task: str
    metric: str  # for people
    change: Comparison  # adapter minus base, as measured
    gain: float
    low: float  # 95 %
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgettingLine:
    """An adapter with its gain and what it forgot."""

    system: System
    gained: Gained | None  # None: it is not known on what it was trained, or it was not asked that
    forgotten: Forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What the adapters of a RESULT forgot on one text."""

    task: str
    metric: str  # for people
    lines: tuple[ForgettingLine, ...]  # the most forgetful last
    sentence: str


def forgetting(result: Result, tasks: Sequence["TaskPage"]) -> Forgetting | None:
    """Return the section; None where the suite asks for none, or no adapter was asked the text."""
    found = forgotten(result)
    page = next((task for task in tasks if task.facts.name == result.suite.forgetting), None)
    if not found or page is None:
        return None
    own = {
        line.system: _gained(task, line.to_base)
        for task in tasks
        for line in task.lines
        if line.role == "adapter" and not line.away and line.to_base and task is not page
    }
    lines = [
        ForgettingLine(system=system, gained=own.get(system), forgotten=lost)
        for system, lost in sorted(found.items(), key=lambda item: item[1].lost)
    ]
    return Forgetting(
        task=page.facts.name, metric=page.metric, lines=tuple(lines), sentence=_sentence(page, lines)
    )


def lost(one: Forgotten) -> str:
    """Return what was forgotten with its interval, such as `+0.12 [+0.08, +0.15]`."""
    return f"{words.signed_2(one.lost)} {words.interval(one.low, one.high, words.signed_2)}"


def gained(one: Gained) -> str:
    """Return what was gained with its interval."""
    return f"{words.signed(one.gain)} {words.interval(one.low, one.high, words.signed)}"


def _gained(task: "TaskPage", change: Comparison) -> Gained:
    sign = -1.0 if task.lower_is_better else 1.0
    low, high = sorted((sign * change.low, sign * change.high))
    return Gained(
        task=task.facts.name,
        metric=task.metric,
        change=change,
        gain=sign * change.difference + 0.0,
        low=low + 0.0,
        high=high + 0.0,
    )


def _sentence(page: "TaskPage", lines: Sequence[ForgettingLine]) -> str:
    """Return who lost how much on the text, as a sentence."""
    worse = [line for line in lines if words.significant(line.forgotten.change) and line.forgotten.lost > 0]
    where = f"on {words.visible(page.facts.name)}, which {'it was not' if len(lines) == 1 else 'none was'} trained on"
    if not worse:
        who = "The adapter" if len(lines) == 1 else f"None of the {len(lines)} adapters"
        verb = "shows no" if len(lines) == 1 else "shows a"
        return f"{who} {verb} significant loss {where}."
    last = worse[-1]
    name, size = words.system(last.system), f"{lost(last.forgotten)} {page.metric.lower()}"
    if len(lines) == 1:
        return f"{name} forgot: {size} {where} ({words.certainty(last.forgotten.change)})."
    least = worse[0].forgotten
    others = f", the least {words.signed_2(least.lost)}" if len(worse) > 1 else ""
    return (
        f"{len(worse)} of {len(lines)} adapters forgot {where}: the most {name}, {size} "
        f"({words.certainty(last.forgotten.change)}){others}."
    )
