"""Decide which systems of a task are compared, and which pairs are corrected together."""

from dataclasses import dataclass

from harness import stats
from harness.scoring.comparisons import families
from harness.types import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scored system on one task; the step with its rows is the need at the same position."""

    task: str
    system: System
    metrics: tuple[str, ...]
    primary: str
    recipe: str | None = None  # of an adapter that is trained here
    trained_on: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A family: pairs that answer one question, and so are corrected together."""

    family: str
    pairs: tuple[stats.Pair, ...]  # positions of baseline and candidate among the cells


def questions(cells: tuple[Cell, ...]) -> list[Question]:
    """Return the questions about each task, each with its family of pairs."""
    found = []
    for task in dict.fromkeys(cell.task for cell in cells):
        here = {cell.system: position for position, cell in enumerate(cells) if cell.task == task}
        found += [
            Question(family=family, pairs=tuple((here[a], here[b]) for a, b in asked))
            for family, asked in families(task, tuple(here)).items()
        ]
    return found
