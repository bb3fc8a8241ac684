"""Find what can be compared of two RESULTs, A and B, on a task: equal metrics, on the samples that both answered.

What cannot be compared, and what is left out, becomes a remark.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import ParamSpec

from harness import metrics
from harness.compare.sides import Remarks, Side, Systems
from harness.errors import ResultError
from harness.metrics import Array, Metric
from harness.results.rows import Rows
from harness.scoring.agreement import agrees, values_of
from harness.types import Score

Scores = tuple[Score, Score]
Arrays = ParamSpec("Arrays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Two systems under one metric, on the samples that both answered."""

    systems: Systems
    plugin: str
    metric: Metric  # with only the scores that are asked for
    scores: tuple[Scores, ...]  # under each of the metric's names
    ids: tuple[str, ...]
    rows: tuple[Array, Array]  # [n, k]


def comparable(
    a: Side, b: Side, task: str, systems: Sequence[Systems], pattern: str | None, remarks: Remarks
) -> tuple[list[Joint], list[Scores]]:
    """Return what can be paired under a pattern's metrics (None: the primary metrics), and the scores without rows."""
    ours, theirs = a.scores(task), b.scores(task)
    plugins = {
        name: plugin
        for side in (b, a)
        for plugin in side.task(task).metrics
        for name in metrics.score_names(plugin)
    }
    joints: list[Joint] = []
    bare: list[Scores] = []
    for pair in systems:
        by_plugin: dict[str, list[Scores]] = {}
        for name in _wanted(a, b, task, pattern):
            scores = _of_one_meaning(
                ours.get((pair[0], name)), theirs.get((pair[1], name)), name, pair, remarks
            )
            by_plugin.setdefault(plugins.get(name, name), []).extend(scores)
        for plugin, alike in by_plugin.items():
            rows = [side.rows.get((task, system, plugin)) for side, system in zip((a, b), pair, strict=True)]
            if rows[0] is None or rows[1] is None or metrics.own(plugin) is None:
                bare += alike
            elif alike:
                joints += _joint(a, b, plugin, pair, alike, (rows[0], rows[1]), remarks)
    return joints, bare


def _wanted(a: Side, b: Side, task: str, pattern: str | None) -> list[str]:
    """Return the names of the scores that are asked for, in A's order."""
    both = list(dict.fromkeys(name for side in (a, b) for _, name in side.scores(task)))
    if pattern is None:
        return [name for name in both if name in (a.task(task).primary, b.task(task).primary)]
    return [name for name in both if fnmatchcase(name, pattern)]


def _of_one_meaning(
    ours: Score | None, theirs: Score | None, name: str, pair: Systems, remarks: Remarks
) -> list[Scores]:
    """Return both scores if their signatures are equal; empty otherwise."""
    if ours is None or theirs is None:
        where = "neither" if ours is theirs else "only B" if ours is None else "only A"
        remarks.add(f"{where} has a {name} score", pair)
        return []
    if ours.signature != theirs.signature:
        remarks.add(
            f"{name} is not compared, its signatures differ: {ours.signature} in A, {theirs.signature} in B",
            pair,
        )
        return []
    return [(ours, theirs)]


def _joint(
    a: Side,
    b: Side,
    plugin: str,
    pair: Systems,
    scores: Sequence[Scores],
    rows: tuple[Rows, Rows],
    remarks: Remarks,
) -> list[Joint]:
    """Return the rows of the samples in common, if there are any."""
    metric = _part(plugin, tuple(score.metric for score, _ in scores))
    for side, own, given in zip((a, b), rows, zip(*scores, strict=True), strict=True):
        _refuse_other_rows(side, own, given, metric)
    ids = _common(*rows)
    if len(ids) < max(len(side.ids) for side in rows):
        extra = [
            f"{len(side.ids) - len(ids):,} only in {letter}" for side, letter in zip(rows, "AB", strict=True)
        ]
        left = "compared on the samples that both have" if ids else "nothing to compare"
        remarks.add(f"{len(ids):,} samples in common, {' and '.join(extra)}: {left}", pair)
    if not ids:
        return []
    kept = (_of(rows[0], ids), _of(rows[1], ids))
    return [Joint(systems=pair, plugin=plugin, metric=metric, scores=tuple(scores), ids=ids, rows=kept)]


@cache
def _part(plugin: str, names: tuple[str, ...]) -> Metric:
    """Return the metric with only these scores."""
    metric = metrics.load(plugin)
    places = [metric.names.index(name) for name in names]
    if metric.formula is None:
        raise ResultError(f"rows.parquet has rows of {plugin}, which gives none; run the suite again")
    if names == metric.names:
        return metric
    return replace(
        metric,
        names=names,
        value=_only(metric.value, places),
        statistic=_only(metric.statistic, places),
        weighted=_only(metric.weighted, places),
    )


def _only(scores: Callable[Arrays, Array] | None, places: Sequence[int]) -> Callable[Arrays, Array] | None:
    """Return a function that gives only these of a metric's scores."""
    if scores is None:
        return None
    return lambda *rows, **named: scores(*rows, **named)[..., places]


def _refuse_other_rows(side: Side, rows: Rows, scores: Sequence[Score], metric: Metric) -> None:
    """Raise a ResultError if a score does not follow from its rows: one of the two was changed."""
    try:
        values = values_of(metric, rows.ids, rows.stats)
    except ValueError as error:
        system = scores[0].system
        raise ResultError(f"{side.said}: rows.parquet: {system}: {error}; run the suite again") from error
    for score, value in zip(scores, values, strict=True):
        if not agrees(score, value, len(rows.ids)):
            raise ResultError(
                f"{side.said}: {score.task} / {score.system} / {score.metric}: {score.value:.6f} of {score.n} samples "
                f"in result.json, {value:.6f} of {len(rows.ids)} by rows.parquet; `harness verify` says what was changed"
            )


def _common(a: Rows, b: Rows) -> tuple[str, ...]:
    """Return the samples that both have, in their common order; else sorted, so that A against B mirrors B against A."""
    if a.ids == b.ids:
        return a.ids
    both = set(a.ids).intersection(b.ids)
    ours, theirs = (tuple(sample for sample in rows.ids if sample in both) for rows in (a, b))
    return ours if ours == theirs else tuple(sorted(both))


def _of(rows: Rows, ids: tuple[str, ...]) -> Array:
    if rows.ids == ids:
        return rows.stats
    places: Mapping[str, int] = {sample: place for place, sample in enumerate(rows.ids)}
    return rows.stats[[places[sample] for sample in ids]]
