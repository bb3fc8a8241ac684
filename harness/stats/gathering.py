"""Compute a statistic of resampled rows in blocks that need little memory, by index or by how often each row is drawn."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.stats.table import Array, Formula, RowStatistic, Table

# Numbers gathered at once, 4 MB: a statistic makes several arrays of that size.
NUMBERS = 1 << 19


def redrawn_scores(
    table: Table,  # of a statistic
    counts: Array,  # [resamples, units] how often each unit is drawn
) -> Array:  # [systems, names, resamples]
    """Return the scores of resamples."""
    drawn = counts if table.unit_of is None else counts[:, table.unit_of]
    of_systems = np.moveaxis(table.rows, 1, 0)
    return np.stack([_scores(_statistic(table.value), rows, drawn).T for rows in of_systems])


def swapped_gaps(
    table: Table,  # of a statistic
    pair: tuple[int, int],
    swaps: Array,  # [resamples, units] 1: the two rows change sides, 0: they stay
) -> Array:  # [resamples, names]
    """Return how far apart the two systems' scores are, in size, when rows change sides."""
    moved = swaps if table.unit_of is None else swaps[:, table.unit_of]
    statistic, (a, b) = _statistic(table.value), (table.rows[:, system] for system in pair)
    if statistic.weighted is not None:
        both = np.concatenate([a, b])
        sides = (np.hstack([1 - moved, moved]), np.hstack([moved, 1 - moved]))
        one, other = (_scores(statistic, both, side) for side in sides)
        return np.abs(one - other)
    swapped = (moved[some, :, None] > 0 for some in _blocks(len(moved), a.size))
    return np.concatenate(
        [
            np.abs(statistic.of(np.where(where, b, a)) - statistic.of(np.where(where, a, b)))
            for where in swapped
        ]
    )


def left_out(
    rows: Array,  # [n, k]
    formula: Formula,
    unit_of: NDArray[np.intp]
    | None = None,  # [n] number of the unit that a row belongs to; None: each to its own
) -> Array:  # [units, names]
    """Return the scores of all rows but those of a unit, for each unit."""
    if not isinstance(formula, RowStatistic):
        return formula(rows.sum(axis=0) - rows)
    owners = np.arange(len(rows)) if unit_of is None else unit_of
    units = int(owners.max()) + 1
    found = [
        _scores(formula, rows, (owners != np.arange(units)[some, None]).astype(np.float64))
        for some in _blocks(units, len(rows))
    ]
    return np.concatenate(found)


def _scores(
    statistic: RowStatistic,
    rows: Array,  # [n, k]
    drawn: Array,  # [resamples, n] how often each row is drawn
) -> Array:  # [resamples, names]
    """Return the scores of resamples."""
    rows = np.ascontiguousarray(rows)
    if statistic.weighted is not None:
        found = [
            statistic.weighted(rows, np.ascontiguousarray(drawn[some].T))
            for some in _blocks(len(drawn), len(rows))
        ]
        return np.concatenate(found)
    return np.concatenate(
        [_gathered(statistic, rows, drawn[some]) for some in _blocks(len(drawn), rows.size)]
    )


def _gathered(statistic: RowStatistic, rows: Array, drawn: Array) -> Array:
    """Return the scores of resamples whose rows are gathered; clusters differ in size, and so do resamples of them."""
    sizes = drawn.sum(axis=1)
    parts = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    every = np.arange(len(rows))
    found = [
        statistic.of(
            rows[np.repeat(np.tile(every, len(part)), drawn[part].ravel().astype(np.intp))].reshape(
                len(part), -1, rows.shape[1]
            )
        )
        for part in parts
    ]
    return np.concatenate(found)[np.argsort(np.concatenate(parts))]


def _statistic(formula: Formula) -> RowStatistic:
    assert isinstance(formula, RowStatistic)
    return formula


def _blocks(resamples: int, numbers: int) -> Iterator[slice]:
    size = max(1, NUMBERS // numbers)
    return (slice(start, start + size) for start in range(0, resamples, size))
