"""Scores on slices of the samples, and differences from the base: by columns of the data, and by the input's length.

Scores and intervals are made as the task's own are, with fewer resamples. One set of resamples serves all systems of a
slice, so the interval of a difference is paired. Nothing here is corrected
for the number of slices looked at: slices suggest where to look and prove nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric
from harness.report.task_samples import Slicing, TaskSamples
from harness.types import System

RESAMPLES = 2_000  # the ends of an interval then vary by some 3 % of its width
# Rows of a statistic that are drawn for a slice, some half a second; with many systems, there are fewer resamples, but
# never less than LEAST, with which the ends vary by some 6 %.
DRAWN, LEAST = 4_000_000, 500
FEWEST = 2  # samples (or clusters) that an interval needs

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceValue:
    """A number and its 95 % interval; no interval if the slice is too small."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """One system's score on one slice, and its difference from the base."""

    score: SliceValue
    to_base: SliceValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One slicing of a task's samples, and each system's score on each slice."""

    name: str
    labels: tuple[str, ...]
    counts: tuple[int, ...]  # samples
    parts: Mapping[System, tuple[SliceScore | None, ...]]  # None: not answered, or without a score
    alike: tuple[str, ...] = ()  # slices without a score, since their references are all equal


def cuts(task_samples: TaskSamples, systems: Sequence[System], seed: int = 0) -> tuple[Cut, ...]:
    """Return the scores for every slicing, with the systems in the order given."""
    known = [system for system in systems if system in task_samples.rows]
    if task_samples.metric is None or not known:
        return ()
    return tuple(
        _cut(task_samples, task_samples.metric, slicing, known, seed) for slicing in task_samples.slicings
    )


def _cut(
    task_samples: TaskSamples, metric: Metric, slicing: Slicing, systems: Sequence[System], seed: int
) -> Cut:
    places = [np.flatnonzero(slicing.of == label) for label in range(len(slicing.labels))]
    alike = [_alike(task_samples, metric, some, systems) for some in places]
    columns = [
        {} if same else dict(_parts(task_samples, metric, some, systems, seed))
        for some, same in zip(places, alike, strict=True)
    ]
    return Cut(
        name=slicing.name,
        labels=slicing.labels,
        counts=tuple(len(some) for some in places),
        parts={system: tuple(column.get(system) for column in columns) for system in systems},
        alike=tuple(label for label, same in zip(slicing.labels, alike, strict=True) if same),
    )


def _alike(
    task_samples: TaskSamples, metric: Metric, places: NDArray[np.intp], systems: Sequence[System]
) -> bool:
    """Return whether the same is wanted of all samples, and the metric's score is then 0 whatever is answered."""
    if metric.wanted is None or not len(places):
        return False
    return all(len(np.unique(task_samples.rows[system][places, metric.wanted])) == 1 for system in systems)


def _parts(
    task_samples: TaskSamples,
    metric: Metric,
    places: NDArray[np.intp],
    systems: Sequence[System],
    seed: int,
) -> Iterator[tuple[System, SliceScore]]:
    rows = {system: task_samples.rows[system][places] for system in systems}
    whole = [system for system in systems if len(places) and np.isfinite(rows[system]).all()]
    if not whole:
        return
    table = metric.table(np.stack([rows[system] for system in whole], axis=1))
    clusters = None if task_samples.clusters is None else task_samples.clusters[places].tolist()
    drawn = _resampled(table, clusters, task_samples.column, seed)
    counted = metric.interval == "wilson" and clusters is None
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = table.scores()[:, task_samples.column]
    for place, system in enumerate(whole):
        if not np.isfinite(scores[place]):
            continue
        base = system.base
        against = whole.index(base) if system.adapter and base in whole else None
        to_base = None
        if against is not None and np.isfinite(scores[against]):
            to_base = _difference(table, (against, place), scores, drawn, counted)
        yield system, SliceScore(score=_score(table, place, scores[place], drawn, counted), to_base=to_base)


def _resampled(
    table: stats.Table, clusters: Sequence[int] | None, column: int, seed: int
) -> Array | None:  # [systems, resamples]; None: the slice is too small
    units = len(table.rows) if clusters is None else len(set(clusters))
    if units < FEWEST:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = stats.resampled([table], resamples=_resamples(table), seed=seed, clusters=clusters)[0][
            :, column
        ]
    return found


def _resamples(table: stats.Table) -> int:
    if not isinstance(table.value, stats.RowStatistic):
        return RESAMPLES
    samples, systems = table.rows.shape[:2]
    fitting: int = DRAWN // (samples * systems)
    return max(LEAST, min(RESAMPLES, fitting))


def _score(table: stats.Table, place: int, value: float, drawn: Array | None, counted: bool) -> SliceValue:
    """Return a system's score; hits have Wilson's interval, as the task's own score has."""
    if drawn is None or not counted:
        return _span(value, None if drawn is None else drawn[place])
    hits, n = table.rows[:, place].sum(axis=0)
    low, high = stats.wilson(hits, n)
    return SliceValue(value=float(value), low=low, high=high)


def _difference(
    table: stats.Table, pair: stats.Pair, scores: Array, drawn: Array | None, counted: bool
) -> SliceValue:
    """Return the difference of a pair; hits have Agresti and Min's interval, as the task's own comparison has."""
    against, place = pair
    value = float(scores[place] - scores[against])
    if drawn is None:
        return SliceValue(value=value)
    if counted:
        hits = table.rows[:, :, 0]
        won, lost = (int((hits[:, one] > hits[:, other]).sum()) for one, other in ((place, against), pair))
        low, high, _ = stats.changed_interval(won, lost, len(hits))
        return SliceValue(value=value, low=low, high=high)
    moved = drawn[place] - drawn[against]
    moved[np.abs(moved) <= stats.TIE] = 0.0  # equal columns of a matrix product may be rounded apart
    return _span(value, moved)


def _span(value: float, resampled: Array | None) -> SliceValue:
    if resampled is None or not np.isfinite(resampled).all():
        return SliceValue(value=float(value))
    low, high = stats.percentile_interval(resampled)
    return SliceValue(value=float(value), low=low, high=high)
