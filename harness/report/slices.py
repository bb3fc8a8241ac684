"""Scores on slices of the samples, and differences from the base: by columns of the data, and by the input's length.

One set of resamples serves all systems of a slice, so the interval of a difference is paired. Nothing here is corrected
for the number of slices looked at: slices suggest where to look and prove nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.report.task_samples import Slicing, TaskSamples
from harness.types import System

RESAMPLES = 2_000  # the ends of an interval then vary by some 3 % of its width
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
    parts: Mapping[System, tuple[SliceScore | None, ...]]  # None: not answered


def cuts(task_samples: TaskSamples, systems: Sequence[System], seed: int = 0) -> tuple[Cut, ...]:
    """Return the scores for every slicing, with the systems in the order given."""
    known = [system for system in systems if system in task_samples.rows]
    if task_samples.metric is None or not known:
        return ()
    return tuple(_cut(task_samples, slicing, known, seed) for slicing in task_samples.slicings)


def _cut(task_samples: TaskSamples, slicing: Slicing, systems: Sequence[System], seed: int) -> Cut:
    places = [np.flatnonzero(slicing.of == label) for label in range(len(slicing.labels))]
    columns = [dict(_parts(task_samples, some, systems, seed)) for some in places]
    return Cut(
        name=slicing.name,
        labels=slicing.labels,
        counts=tuple(len(some) for some in places),
        parts={system: tuple(column.get(system) for column in columns) for system in systems},
    )


def _parts(
    task_samples: TaskSamples, places: NDArray[np.intp], systems: Sequence[System], seed: int
) -> Iterator[tuple[System, SliceScore]]:
    rows = {system: task_samples.rows[system][places] for system in systems}
    whole = [system for system in systems if len(places) and np.isfinite(rows[system]).all()]
    if not whole:
        return
    scores, drawn = _resampled(
        task_samples, np.stack([rows[system] for system in whole], axis=1), places, seed
    )
    for place, system in enumerate(whole):
        base = system.base
        against = whole.index(base) if system.adapter and base in whole else None
        score = _span(scores[place], None if drawn is None else drawn[:, place])
        if (
            task_samples.metric is not None
            and task_samples.metric.interval == "wilson"
            and task_samples.clusters is None
        ):
            hits, n = rows[system].sum(axis=0)
            score = SliceValue(value=score.value, low=stats.wilson(hits, n)[0], high=stats.wilson(hits, n)[1])
        to_base = None
        if against is not None:
            moved = None if drawn is None else drawn[:, place] - drawn[:, against]
            to_base = _span(scores[place] - scores[against], moved)
        yield system, SliceScore(score=score, to_base=to_base)


def _resampled(
    task_samples: TaskSamples,
    rows: Array,  # [n, systems, k]
    places: NDArray[np.intp],
    seed: int,
) -> tuple[Array, Array | None]:  # [systems], [resamples, systems]
    assert task_samples.metric is not None and task_samples.metric.value is not None
    of_totals, column, (n, systems, k) = task_samples.metric.value, task_samples.column, rows.shape

    def value(totals: Array) -> Array:  # [..., systems * k] -> [..., systems]
        found: Array = of_totals(totals.reshape(*totals.shape[:-1], systems, k))[..., column]
        return found

    flat = rows.reshape(n, systems * k)
    clusters = None if task_samples.clusters is None else task_samples.clusters[places]
    units = n if clusters is None else len(np.unique(clusters))
    scores = value(flat.sum(axis=0))
    if units < FEWEST:
        return scores, None
    drawn = stats.bootstrap(
        flat, value, resamples=RESAMPLES, seed=seed, clusters=None if clusters is None else clusters.tolist()
    )
    return scores, drawn


def _span(value: float, resampled: Array | None) -> SliceValue:
    if resampled is None:
        return SliceValue(value=float(value))
    low, high = stats.percentile_interval(resampled)
    return SliceValue(value=float(value), low=low, high=high)
