"""Which differences are real: paired on the same samples, one draw of resamples for all, Holm within a family."""

from dataclasses import dataclass, replace
from itertools import combinations, groupby

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric, load
from harness.records import read_json, to_json, write_json
from harness.steps import Bench
from harness.types import Comparison, System

VERSION = 4
LIBRARIES = ("numpy",)

# A family of many pairs needs more resamples for its smallest p, and only for those: a p of a hundredth has had a hundred
# hits among 10,000 resamples, and rests on as much as in a small family. With 496 pairs all of them took 88 s.
SMALL = 0.01


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

    @property
    def resamples(self) -> int:
        return stats.resamples_for(len(self.pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The rows of one task's systems, a table for each metric that has rows."""

    positions: tuple[int, ...]  # of the cells whose systems the tables hold, in that order
    metrics: tuple[Metric, ...]
    tables: tuple[stats.Table, ...]
    clusters: list[int] | None

    @property
    def n(self) -> int:
        return len(self.tables[0].rows)

    def places(self, pairs: list[stats.Pair]) -> list[stats.Pair]:
        """The pairs, by their systems' places in the tables."""
        place = {position: place for place, position in enumerate(self.positions)}
        return [(place[baseline], place[candidate]) for baseline, candidate in pairs]


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
    # One sample, or one cluster of them, cannot tell two systems apart.
    if not scored.tables or len(set(scored.clusters or range(scored.n))) < 2:
        return []
    found: list[Comparison] = []
    answers = _compare(spec, scored, [pair for question in asked for pair in question.pairs])
    for question in asked:
        primary = spec.cells[question.pairs[0][0]].primary
        compared = {pair: answers[pair] for pair in question.pairs}
        found += _corrected(question, primary, _refined(spec, scored, question, primary, compared))
    return found


def _refined(
    spec: Compare,
    scored: Scored,
    question: Question,
    primary: str,
    compared: dict[stats.Pair, list[Comparison]],
) -> list[Comparison]:
    """Small p of the primary metric anew, from as many resamples as the family needs."""
    column = next(
        (
            (metric, table)
            for metric, table in zip(scored.metrics, scored.tables, strict=True)
            if primary in metric.names
        ),
        None,
    )
    small = [
        pair
        for pair, found in compared.items()
        if any(one.metric == primary and one.p < SMALL and one.test != stats.MCNEMAR for one in found)
    ]
    if question.resamples == stats.RESAMPLES or column is None or not small:
        return [one for found in compared.values() for one in found]
    metric, table = column
    chances, test = stats.chance(
        table,
        scored.places(small),
        resamples=question.resamples,
        seed=spec.seed,
        clusters=scored.clusters,
    )
    anew = dict(zip(small, chances[:, metric.names.index(primary)].tolist(), strict=True))
    return [
        replace(one, p=anew[pair], test=test) if pair in anew and one.metric == primary else one
        for pair, found in compared.items()
        for one in found
    ]


def _corrected(question: Question, metric: str, found: list[Comparison]) -> list[Comparison]:
    """Holm over the primary metric's comparisons; the others stay exploratory."""
    family = [one for one in found if one.metric == metric]
    adjusted = dict(zip(map(id, family), stats.holm([one.p for one in family]), strict=True))
    return [
        replace(one, p_holm=adjusted[id(one)], family=question.family) if id(one) in adjusted else one
        for one in found
    ]


def _read(spec: Compare, bench: Bench, positions: list[int]) -> Scored:
    metrics, tables = [], []
    for name in spec.cells[positions[0]].metrics:
        metric = load(name)
        if metric.value is None:
            continue  # a corpus score is no sum of rows
        rows = np.stack([_rows(bench, position, name) for position in positions], axis=1)
        metrics.append(metric)
        tables.append(stats.Table(rows=rows, value=metric.value, interval=metric.interval))
    return Scored(
        positions=tuple(positions),
        metrics=tuple(metrics),
        tables=tuple(tables),
        clusters=read_json(bench.need(positions[0]) / "clusters.json"),
    )


def _rows(bench: Bench, position: int, metric: str) -> NDArray[np.float64]:
    with np.load(bench.need(position) / "rows.npz", allow_pickle=False) as rows:
        table: NDArray[np.float64] = rows[metric]
        return table


def _compare(spec: Compare, scored: Scored, pairs: list[stats.Pair]) -> dict[stats.Pair, list[Comparison]]:
    """Of each pair a comparison for every score of every metric, in order."""
    tables = stats.compare(
        scored.tables,
        scored.places(pairs),
        seed=spec.seed,
        clusters=scored.clusters,
    )
    return {
        pair: [
            comparison
            for metric, paired in zip(scored.metrics, results, strict=True)
            for comparison in _comparisons(spec.cells[pair[0]], spec.cells[pair[1]], metric, paired, scored.n)
        ]
        for pair, results in zip(pairs, zip(*tables, strict=True), strict=True)
    }


def _comparisons(
    baseline: Cell, candidate: Cell, metric: Metric, paired: stats.Paired, n: int
) -> list[Comparison]:
    better, worse = paired.better, paired.worse
    if metric.better == "lower":
        better, worse = worse, better
    return [
        Comparison(
            task=baseline.task,
            metric=name,
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
            n=n,
            better=int(better[i]),
            worse=int(worse[i]),
        )
        for i, name in enumerate(metric.names)
    ]
