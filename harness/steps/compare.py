"""Which differences are real: paired on the same samples, one draw of resamples for all, Holm within a family."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric, load
from harness.records import read_json, to_json, write_json
from harness.steps import Bench
from harness.types import Comparison, System

VERSION = 1
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
    pairs: tuple[tuple[int, int], ...]  # positions of baseline and candidate


def run(spec: Compare, bench: Bench) -> None:
    asked = [one for one in (_present(one, bench) for one in questions(spec.cells)) if one.pairs]
    comparisons: list[Comparison] = []
    for done, question in enumerate(asked, start=1):
        comparisons += answer(spec, bench, question)
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


def answer(spec: Compare, bench: Bench, question: Question) -> list[Comparison]:
    resamples = stats.resamples_for(len(question.pairs))
    found: list[Comparison] = []
    for baseline, candidate in question.pairs:
        for name in spec.cells[baseline].metrics:
            metric = load(name)
            if metric.row is not None:
                found += _compare(spec, bench, (baseline, candidate), name, metric, resamples)
    primary = [one for one in found if one.metric == spec.cells[question.pairs[0][0]].primary]
    adjusted = dict(zip(map(id, primary), stats.holm([one.p for one in primary]), strict=True))
    return [
        replace(one, p_holm=adjusted[id(one)], family=question.family) if id(one) in adjusted else one
        for one in found
    ]


def _compare(
    spec: Compare, bench: Bench, pair: tuple[int, int], name: str, metric: Metric, resamples: int
) -> list[Comparison]:
    assert metric.value is not None
    baseline, candidate = (spec.cells[position] for position in pair)
    a, b = (_rows(bench, position, name) for position in pair)
    clusters = read_json(bench.need(pair[0]) / "clusters.json")
    if len(set(clusters or range(len(a)))) < 2:
        return []  # one sample, or one cluster of them, cannot tell two systems apart
    paired = stats.paired(
        a, b, metric.value, resamples=resamples, seed=spec.seed, clusters=clusters, interval=metric.interval
    )
    return [
        Comparison(
            task=baseline.task,
            metric=part,
            baseline=baseline.system,
            candidate=candidate.system,
            difference=float(paired.difference[i]),
            low=float(paired.low[i]),
            high=float(paired.high[i]),
            p=float(paired.p[i]),
            p_holm=None,
            family=None,
            test=paired.test,
            detectable=float(paired.detectable[i]),
            n=len(a),
        )
        for i, part in enumerate(metric.names)
    ]


def _rows(bench: Bench, position: int, metric: str) -> NDArray[np.float64]:
    with np.load(bench.need(position) / "rows.npz", allow_pickle=False) as rows:
        table: NDArray[np.float64] = rows[metric]
        return table
