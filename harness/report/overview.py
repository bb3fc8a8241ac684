"""Every system's score on every task in one table, for reports of several tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.types import System

if TYPE_CHECKING:
    from harness.report.page import ScoreLine, TaskPage

LEAST_TASKS = 3  # with fewer, the score tables themselves are overview enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A row for each system and a column for each task."""

    tasks: tuple["TaskPage", ...]
    rows: Mapping[System, tuple["ScoreLine | None", ...]]  # None: the system has no score on the task


def overview(tasks: Sequence["TaskPage"]) -> Overview | None:
    """Return the table, trivial rules last; None for fewer than LEAST_TASKS tasks."""
    if len(tasks) < LEAST_TASKS:
        return None
    lines = [{line.system: line for line in task.lines} for task in tasks]
    systems = dict.fromkeys(system for own in lines for system in own)
    ordered = sorted(systems, key=lambda system: system.is_trivial)  # sorting keeps the score tables' order
    return Overview(
        tasks=tuple(tasks), rows={system: tuple(own.get(system) for own in lines) for system in ordered}
    )
