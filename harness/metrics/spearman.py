"""Spearman's rank correlation of the numbers that are wanted with those that are given, times 100.

Equal numbers have the mean of their ranks. An answer that is no number has the middle rank of the system's other answers,
so it adds nothing to the correlation. A side that does not vary has a correlation of 0.
"""

import numpy as np

from harness.metrics import Array, Caution, Metric
from harness.metrics.pearson import DISTANCE
from harness.stats.correlation import average_ranks, correlation, drawn_correlation, drawn_ranks
from harness.tasks.numbers import is_no_number, number_row, problem

__all__ = ["NAMES", "metric", "problem"]

NAMES = ("spearman",)
NO_NUMBER = Caution(
    said="answers that are no number: each has the middle rank of the system's other answers",
    holds=is_no_number,
)


def metric() -> Metric:
    """Return Spearman's correlation."""
    return Metric(
        names=NAMES,
        signature="spearman|scale:100|ties:mean|no-number:middle|constant:0|nrefs:var|refs:mean|version:1",
        unit="points",
        row=number_row,
        statistic=statistic,
        weighted=weighted,
        cautions=(NO_NUMBER,),
        of_sample=DISTANCE,
        wanted=0,
    )


def statistic(
    rows: Array,  # [..., n, 3]: wanted, given, whether a number is given
) -> Array:  # [..., 1], -100 to 100
    """Return the correlation of the ranks."""
    wanted, given, there = np.moveaxis(rows, -1, 0)
    ranks = average_ranks(np.where(there > 0, given, np.inf))  # those without a number come last
    middle = (1 + there.sum(axis=-1, keepdims=True)) / 2
    return 100.0 * correlation(average_ranks(wanted), np.where(there > 0, ranks, middle))[..., None]


def weighted(
    rows: Array,  # [n, 3]
    drawn: Array,  # [n, resamples] how often each row is drawn
) -> Array:  # [resamples, 1]
    """Return the correlation of the ranks in resamples."""
    wanted, given, there = rows.T
    ranks = there[:, None] * drawn_ranks(given, drawn * there[:, None])
    return 100.0 * drawn_correlation(drawn_ranks(wanted, drawn), ranks, drawn)[:, None]
