"""The input of all statistics: rows of sums, one for each sample, and a function of their total."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of several systems under one metric, on the same samples in the same order."""

    rows: Array  # [n, systems, k]
    value: Value
    interval: Interval = "bootstrap"

    def scores(self) -> Array:  # [systems, names]
        """Return the scores of all systems."""
        return self.value(self.rows.sum(axis=0))

    def of_samples(self) -> Array:  # [n, systems, names]
        """Return the score of each sample by itself; NaN where a sample alone has no score."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.value(np.asarray(self.rows, dtype=np.float64))

    def of(self, systems: list[int]) -> "Table":
        """Return the table of these systems; the table itself if they are all systems in order."""
        same = systems == list(range(self.rows.shape[1]))
        return self if same else replace(self, rows=self.rows[:, systems])

    def drawn_by(self, clusters: Sequence[int] | None) -> "Table":
        """Return the table whose rows are the units that are drawn: samples, or whole clusters of samples."""
        return replace(self, rows=units(self.rows, clusters))


def units(
    rows: Array,  # [n, ...]
    clusters: Sequence[int] | None,  # n labels; samples of one label are drawn together
) -> Array:
    """Return the units that are drawn: samples, or the sums of clusters in the order of their labels."""
    rows = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(rows).all():
        sound = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        raise ValueError(f"row {int(np.argmin(sound))} holds a number that is not finite")
    if clusters is not None:
        if len(clusters) != len(rows):
            raise ValueError(f"{len(clusters)} cluster labels for {len(rows)} samples")
        labels, which = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((len(labels), *rows.shape[1:]))
        np.add.at(summed, which, rows)
        rows = summed
    if len(rows) < 2:
        what = "sample" if clusters is None else "cluster"
        raise ValueError(f"{len(rows)} {what} has no spread to resample: give at least 2, better 100")
    return rows
