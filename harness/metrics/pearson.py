"""Pearson correlation of the numbers that are wanted with those that are given, times 100.

An answer that is no number counts as the mean of the system's other answers, so it adds nothing to the correlation: leaving
such samples out would reward a system that answers only the easy ones. A side that does not vary has a correlation of 0.
"""

import numpy as np

from harness.metrics import Array, Caution, Metric
from harness.stats.correlation import correlation
from harness.tasks.numbers import is_no_number, number_row

NAMES = ("pearson",)
NO_NUMBER = Caution(
    said="answers that are no number: each counts as the mean of the system's other answers",
    holds=is_no_number,
)


def metric() -> Metric:
    """Return Pearson's correlation."""
    return Metric(
        names=NAMES,
        signature="pearson|scale:100|no-number:mean|constant:0|nrefs:var|refs:mean|version:1",
        unit="points",
        row=number_row,
        statistic=statistic,
        cautions=(NO_NUMBER,),
    )


def statistic(
    rows: Array,  # [..., n, 3]: wanted, given, whether a number is given
) -> Array:  # [..., 1], -100 to 100
    """Return the correlation."""
    wanted, given, there = np.moveaxis(rows, -1, 0)
    count = there.sum(axis=-1, keepdims=True)
    mean = (given * there).sum(axis=-1, keepdims=True) / np.where(count > 0, count, 1.0)
    return 100.0 * correlation(wanted, np.where(there > 0, given, mean))[..., None]
