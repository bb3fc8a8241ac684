"""The input of all statistics: rows, one for each sample, and a function of their total, or of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Value = Callable[[Array], Array]  # totals [..., k] -> scores [..., names]
Interval = Literal["bootstrap", "wilson"]  # "wilson": rows are (hit, 1)

# Two differences on the scale 0 to 100 closer than this are a tie: rounding alone makes them differ.
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class RowStatistic:
    """A function of all rows, in whatever order, where no function of their total gives the scores: a rank correlation."""

    of: Callable[[Array], Array]  # rows [..., n, k] -> scores [..., names]
    # The same by counts: rows [n, k], how often each row is drawn [n, resamples] -> scores [resamples, names]
    weighted: Callable[[Array, Array], Array] | None = None


Formula = Value | RowStatistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of several systems under one metric, on the same samples in the same order."""

    rows: Array  # [n, systems, k]
    value: Formula
    interval: Interval = "bootstrap"
    unit_of: NDArray[np.intp] | None = (
        None  # [n] number of the unit that a row is drawn with; None: each by itself
    )

    @property
    def units(self) -> int:
        """Return the number of units that are drawn."""
        return len(self.rows) if self.unit_of is None else int(self.unit_of.max()) + 1

    def scores(self) -> Array:  # [systems, names]
        """Return the scores of all systems."""
        return whole(self.rows, self.value)

    def of_samples(self) -> Array:  # [n, systems, names]
        """Return the score of each sample by itself; NaN where a sample alone has no score."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return alone(np.asarray(self.rows, dtype=np.float64), self.value)

    def of(self, systems: list[int]) -> "Table":
        """Return the table of these systems; the table itself if they are all systems in order."""
        same = systems == list(range(self.rows.shape[1]))
        return self if same else replace(self, rows=self.rows[:, systems])

    def drawn_by(self, clusters: Sequence[int] | None) -> "Table":
        """Return the table whose rows are the units that are drawn: samples, or whole clusters of samples.

        The rows of a statistic stay, and `unit_of` says which of them are drawn together.
        """
        if not isinstance(self.value, RowStatistic):
            return replace(self, rows=units(self.rows, clusters))
        rows, which = _sound(self.rows, clusters)
        return replace(self, rows=rows, unit_of=which)


def whole(
    rows: Array,  # [n, ..., k]
    formula: Formula,
) -> Array:  # [..., names]
    """Return the scores of all rows together."""
    if isinstance(formula, RowStatistic):
        return formula.of(np.moveaxis(np.asarray(rows, dtype=np.float64), 0, -2))
    return formula(rows.sum(axis=0))


def alone(
    rows: Array,  # [..., k]
    formula: Formula,
) -> Array:  # [..., names]
    """Return the scores of each row by itself."""
    return formula.of(rows[..., None, :]) if isinstance(formula, RowStatistic) else formula(rows)


def units(
    rows: Array,  # [n, ...]
    clusters: Sequence[int] | None,  # n labels; samples of one label are drawn together
) -> Array:
    """Return the units that are drawn: samples, or the sums of clusters in the order of their labels."""
    rows, which = _sound(rows, clusters)
    if which is None:
        return rows
    summed = np.zeros((int(which.max()) + 1, *rows.shape[1:]))
    np.add.at(summed, which, rows)
    return summed


def _sound(
    rows: Array, clusters: Sequence[int] | None
) -> tuple[
    Array, NDArray[np.intp] | None
]:  # [n, ...] and [n] the number of each row's cluster, in order of the labels
    """Return rows and clusters; ValueError for numbers that are not finite, or fewer than two units."""
    rows = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(rows).all():
        sound = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        raise ValueError(f"row {int(np.argmin(sound))} holds a number that is not finite")
    if clusters is not None:
        if len(clusters) != len(rows):
            raise ValueError(f"{len(clusters)} cluster labels for {len(rows)} samples")
        labels, which = np.unique(np.asarray(clusters), return_inverse=True)
    found = len(rows) if clusters is None else len(labels)
    if found < 2:
        what = "sample" if clusters is None else "cluster"
        raise ValueError(f"{found} {what} has no spread to resample: give at least 2, better 100")
    return rows, None if clusters is None else which
