"""Compute a statistic of resampled rows, which are gathered by index, in blocks that need little memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.stats.table import Array, Formula, RowStatistic, Table, whole

# Numbers gathered at once, 4 MB: a statistic makes several arrays of that size.
NUMBERS = 1 << 19


def redrawn_scores(
    table: Table,  # of a statistic
    counts: Array,  # [resamples, units] how often each unit is drawn
) -> Array:  # [systems, names, resamples]
    """Return the scores of resamples."""
    n, systems, k = table.rows.shape
    names = table.scores().shape[-1]
    of_system = [np.ascontiguousarray(table.rows[:, system]) for system in range(systems)]
    found: list[Array] = []
    for some in _blocks(len(counts), n * k):
        drawn = counts[some] if table.unit_of is None else counts[some][:, table.unit_of]
        found.append(np.empty((systems, len(drawn), names)))
        # Clusters differ in size, and so do the resamples: those of one size are gathered together.
        sizes = drawn.sum(axis=1)
        for size in np.unique(sizes):
            alike = sizes == size
            places = _places(drawn[alike])
            for system, rows in enumerate(of_system):
                found[-1][system, alike] = _of(table).of(rows[places])
    return np.moveaxis(np.concatenate(found, axis=1), 1, -1)


def swapped_gaps(
    table: Table,  # of a statistic
    pair: tuple[int, int],
    swaps: Array,  # [resamples, units] 1: the two rows change sides
) -> Array:  # [resamples, names]
    """Return how far apart the two systems' scores are, in size, when rows change sides."""
    n, _, k = table.rows.shape
    a, b = (np.ascontiguousarray(table.rows[:, system]) for system in pair)
    found = []
    for some in _blocks(len(swaps), n * k):
        moved = (swaps[some] if table.unit_of is None else swaps[some][:, table.unit_of])[..., None] > 0
        found.append(np.abs(_of(table).of(np.where(moved, b, a)) - _of(table).of(np.where(moved, a, b))))
    return np.concatenate(found)


def left_out(
    rows: Array,  # [n, k], units of which none can be divided if `unit_of` is None
    formula: Formula,
    unit_of: NDArray[np.intp] | None = None,
) -> Array:  # [units, names]
    """Return the scores of all rows but those of a unit, for each unit."""
    if not isinstance(formula, RowStatistic):
        return formula(rows.sum(axis=0) - rows)
    if unit_of is not None:
        return np.array([whole(rows[unit_of != unit], formula) for unit in range(int(unit_of.max()) + 1)])
    # Without one of two equal rows the scores are the same: labels give a handful of different rows.
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.array([whole(np.delete(rows, place, axis=0), formula) for place in first])[which.ravel()]


def _of(table: Table) -> RowStatistic:
    assert isinstance(table.value, RowStatistic)
    return table.value


def _places(drawn: Array) -> NDArray[np.intp]:  # [resamples, n], rows of equal sums -> [resamples, that sum]
    """Return the places of the rows that were drawn, each as often as it was drawn."""
    resamples, n = drawn.shape
    every = np.tile(np.arange(n), resamples)
    return np.repeat(every, drawn.ravel().astype(np.intp)).reshape(resamples, -1)


def _blocks(resamples: int, numbers: int) -> Iterator[slice]:
    size = max(1, NUMBERS // numbers)
    return (slice(start, start + size) for start in range(0, resamples, size))
