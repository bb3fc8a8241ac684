"""The transfer matrix: what each adapter gained or lost on the task that it was trained on and on the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import text as words
from harness.types import Comparison, System

if TYPE_CHECKING:
    from harness.report.page import TaskPage

STEPS = (1.0, 5.0, 15.0)  # points: at each, the shade of a cell becomes stronger


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCell:
    """One adapter on one task, compared with its base."""

    change: Comparison
    own: bool  # the task that it was trained on
    shade: int  # -3 to 3, negative if it does worse; 0 if the difference is small or not significant


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferMatrix:
    """Adapters down, tasks across."""

    tasks: tuple[str, ...]
    metrics: tuple[str, ...]  # each task's, for people
    rows: tuple[tuple[System, tuple[TransferCell | None, ...]], ...]


def matrix(tasks: Sequence["TaskPage"]) -> TransferMatrix | None:
    """Return the transfer matrix; None if there is only one task, or no adapter was compared with its base."""
    lines = [{line.system: line for line in task.lines if line.to_base} for task in tasks]
    systems = list(dict.fromkeys(system for here in lines for system in here))
    if len(tasks) < 2 or not systems:
        return None
    rows = []
    for system in systems:
        cells = []
        for task, here in zip(tasks, lines, strict=True):
            line = here.get(system)
            change = line.to_base if line else None
            cells.append(
                TransferCell(change=change, own=not line.away, shade=_shade(change, task.lower_is_better))
                if line and change
                else None
            )
        rows.append((system, tuple(cells)))
    return TransferMatrix(
        tasks=tuple(task.facts.name for task in tasks),
        metrics=tuple(task.metric for task in tasks),
        rows=tuple(rows),
    )


def _shade(change: Comparison, lower_is_better: bool) -> int:
    if not words.significant(change):
        return 0
    size = sum(abs(change.difference) >= step for step in STEPS)
    return size if (change.difference > 0) != lower_is_better else -size
