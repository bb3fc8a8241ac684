"""Compare pairs of systems on one task by their rows: one draw of resamples for all pairs, Holm within a family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from harness import stats
from harness.metrics import Metric
from harness.types import Comparison, System

# A family of many pairs needs more resamples, but only for its smallest p: a p of 0.01 rests on a hundred hits among
# 10,000 resamples, as many as in a small family. With 496 pairs, more resamples for all of them took 88 s.
SMALL = 0.01

Found = Mapping[stats.Pair, Sequence[Comparison]]  # of each pair, under every score of every metric in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The rows of one task's systems on the same samples, a table for each metric."""

    task: str
    systems: tuple[System, ...]  # in the tables' order
    metrics: tuple[Metric, ...]
    tables: tuple[stats.Table, ...]
    clusters: Sequence[int] | None = None  # a number for each sample, equal for those drawn together

    @property
    def n(self) -> int:
        """Return the number of samples."""
        return len(self.tables[0].rows)

    @property
    def tells(self) -> bool:
        """Return whether there is something to resample: two samples, or clusters of samples, at least."""
        return bool(self.tables) and len(set(self.clusters or range(self.n))) >= 2

    def column(self, score: str) -> tuple[stats.Table, int] | None:
        """Return the table that gives this score, and the score's index in it."""
        for metric, table in zip(self.metrics, self.tables, strict=True):
            if score in metric.names:
                return table, metric.names.index(score)
        return None


def compared(scored: Scored, pairs: Sequence[stats.Pair], seed: int) -> Found:
    """Compare all pairs, uncorrected."""
    answers = stats.compare(scored.tables, pairs, seed=seed, clusters=scored.clusters)
    return {
        pair: [
            comparison
            for metric, paired in zip(scored.metrics, results, strict=True)
            for comparison in _comparisons(scored, pair, metric, paired)
        ]
        for pair, results in zip(pairs, zip(*answers, strict=True), strict=True)
    }


def refined(scored: Scored, found: Found, primary: str, family_size: int, seed: int) -> Found:
    """Recompute small p of the primary metric with as many resamples as Holm needs for a family of this size."""
    resamples = stats.resamples_for(family_size)
    small = [
        pair
        for pair, comparisons in found.items()
        if any(one.metric == primary and one.p < SMALL and one.test != stats.MCNEMAR for one in comparisons)
    ]
    column = scored.column(primary)
    if resamples == stats.RESAMPLES or not small or column is None:
        return found
    table, name = column
    chances, test = stats.chance(table, small, resamples=resamples, seed=seed, clusters=scored.clusters)
    anew = dict(zip(small, chances[:, name].tolist(), strict=True))
    return {
        pair: [
            replace(one, p=anew[pair], test=test) if pair in anew and one.metric == primary else one
            for one in comparisons
        ]
        for pair, comparisons in found.items()
    }


def corrected(found: Sequence[Comparison], primary: str, family: str) -> list[Comparison]:
    """Return the comparisons with Holm's correction under the primary metric; other metrics stay exploratory."""
    adjusted = iter(stats.holm([one.p for one in found if one.metric == primary]))
    return [
        replace(one, p_holm=next(adjusted), family=family) if one.metric == primary else one for one in found
    ]


def counted(comparison: Comparison, metric: Metric) -> Comparison:
    """Return the comparison; without counts of samples if no sample alone has a score: a correlation needs two or more."""
    if metric.statistic is None or comparison.better or comparison.worse:
        return comparison
    return replace(comparison, better=None, worse=None)


def _comparisons(scored: Scored, pair: stats.Pair, metric: Metric, paired: stats.Paired) -> list[Comparison]:
    baseline, candidate = (scored.systems[place] for place in pair)
    better, worse = paired.better, paired.worse
    if metric.better == "lower":
        better, worse = worse, better
    return [
        Comparison(
            task=scored.task,
            metric=name,
            baseline=baseline,
            candidate=candidate,
            difference=float(paired.difference[i]),
            low=float(paired.low[i]),
            high=float(paired.high[i]),
            p=float(paired.p[i]),
            p_holm=None,
            family=None,
            test=paired.test,
            detectable=float(paired.detectable[i]),
            n=scored.n,
            better=int(better[i]),
            worse=int(worse[i]),
        )
        for i, name in enumerate(metric.names)
    ]


def families(task: str, systems: Sequence[System]) -> dict[str, list[tuple[System, System]]]:
    """Return the families: pairs of baseline and candidate that are corrected together, by the name of their question."""
    adapted = [system for system in systems if system.adapter]
    bases = [s for s in systems if not s.adapter and not s.shots and not s.is_trivial]
    others = [s for s in systems if not s.adapter and s not in bases]
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
    return {f"{task}: {name}": pairs for name, pairs in asked.items() if pairs}
