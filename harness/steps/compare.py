"""Which differences are real: paired on the same samples, one draw of resamples for all, Holm within a family."""

from dataclasses import dataclass, replace
from itertools import combinations, groupby

import numpy as np
from numpy.typing import NDArray

from harness import pairs, stats
from harness.metrics import load
from harness.records import read_json, to_json, write_json
from harness.steps import Bench
from harness.types import Comparison, System

VERSION = 4
LIBRARIES = ("numpy",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scored system on one task; the step with its rows is the need at the same position."""

    task: str
    system: System
    metrics: tuple[str, ...]
    primary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Needs the scores of its cells, in their order."""

    cells: tuple[Cell, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Pairs that are asked together, and so corrected together."""

    family: str
    pairs: tuple[stats.Pair, ...]  # positions of baseline and candidate among the cells


def run(spec: Compare, bench: Bench) -> None:
    asked = [one for one in (_present(one, bench) for one in questions(spec.cells)) if one.pairs]
    comparisons: list[Comparison] = []
    done = 0
    for _, of_task in groupby(asked, lambda question: spec.cells[question.pairs[0][0]].task):
        together = list(of_task)
        comparisons += answer(spec, bench, together)
        done += len(together)
        bench.progress(done, len(asked))
    write_json(bench.folder / "comparisons.json", [to_json(one) for one in comparisons])


def _present(question: Question, bench: Bench) -> Question:
    """The question without pairs of which one side failed."""
    return replace(question, pairs=tuple(p for p in question.pairs if all(bench.need(i).is_dir() for i in p)))


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


def answer(spec: Compare, bench: Bench, asked: list[Question]) -> list[Comparison]:
    """All questions of one task: rows are read once, and all pairs share a draw."""
    positions = sorted({position for question in asked for pair in question.pairs for position in pair})
    scored = _read(spec, bench, positions)
    if not scored.tells:
        return []
    place = {position: place for place, position in enumerate(positions)}
    placed = [[(place[a], place[b]) for a, b in question.pairs] for question in asked]
    answers = pairs.compared(scored, [pair for together in placed for pair in together], spec.seed)
    primary = spec.cells[positions[0]].primary
    found: list[Comparison] = []
    for question, together in zip(asked, placed, strict=True):
        own = {pair: answers[pair] for pair in together}
        sure = pairs.refined(scored, own, primary, len(together), spec.seed)
        told = [one for comparisons in sure.values() for one in comparisons]
        found += pairs.corrected(told, primary, question.family)
    return found


def _read(spec: Compare, bench: Bench, positions: list[int]) -> pairs.Scored:
    metrics, tables = [], []
    for name in spec.cells[positions[0]].metrics:
        metric = load(name)
        if metric.value is None:
            continue  # a corpus score is no sum of rows
        rows = np.stack([_rows(bench, position, name) for position in positions], axis=1)
        metrics.append(metric)
        tables.append(stats.Table(rows=rows, value=metric.value, interval=metric.interval))
    return pairs.Scored(
        task=spec.cells[positions[0]].task,
        systems=tuple(spec.cells[position].system for position in positions),
        metrics=tuple(metrics),
        tables=tuple(tables),
        clusters=read_json(bench.need(positions[0]) / "clusters.json"),
    )


def _rows(bench: Bench, position: int, metric: str) -> NDArray[np.float64]:
    with np.load(bench.need(position) / "rows.npz", allow_pickle=False) as rows:
        table: NDArray[np.float64] = rows[metric]
        return table
