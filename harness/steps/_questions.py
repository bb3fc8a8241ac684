"""What is asked of each task's systems: who is compared with whom, and which pairs are corrected together."""

from dataclasses import dataclass
from itertools import combinations

from harness import stats
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
    """Pairs that are asked together, and so corrected together."""

    family: str
    pairs: tuple[stats.Pair, ...]  # positions of baseline and candidate among the cells


def questions(cells: tuple[Cell, ...]) -> list[Question]:
    """What is asked of each task: one family of comparisons a question."""
    found = []
    for task in dict.fromkeys(cell.task for cell in cells):
        here = {cell.system: position for position, cell in enumerate(cells) if cell.task == task}
        adapted = [system for system in here if system.adapter]
        bases = [s for s in here if not s.adapter and not s.shots and not s.model.startswith("trivial:")]
        others = [s for s in here if not s.adapter and s not in bases]
        asked: dict[str, list[tuple[System, System]]] = {
            "each adapter against its base": [
                (base, system) for system in adapted for base in bases if base.model == system.model
            ],
            "each adapter against trivial rules and few-shot bases": [
                (other, system)
                for system in adapted
                for other in others
                if not other.shots or other.model == system.model
            ],
            "bases against each other": list(combinations(bases, 2)),
        }
        for name in dict.fromkeys(system.adapter for system in adapted):
            same = [system for system in adapted if system.adapter == name]
            asked[f"models with {name} against each other"] = list(combinations(same, 2))
        for base in bases:
            same = [system for system in adapted if system.model == base.model]
            asked[f"adapters of {base.model} against each other"] = list(combinations(same, 2))
        found += [
            Question(family=f"{task}: {name}", pairs=tuple((here[a], here[b]) for a, b in pairs))
            for name, pairs in asked.items()
            if pairs
        ]
    return found
