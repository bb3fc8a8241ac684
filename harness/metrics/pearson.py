"""Pearson correlation of the numbers that are wanted with those that are given, times 100.

An answer that is no number counts as the mean of the system's other answers, so it adds nothing to the correlation: leaving
such samples out would reward a system that answers only the easy ones. A side that does not vary has a correlation of 0.
"""

import numpy as np

from harness.metrics import Array, Caution, Metric, SampleNumber
from harness.stats.correlation import correlation
from harness.tasks.numbers import is_no_number, number_row, problem

__all__ = ["NAMES", "metric", "problem"]

NAMES = ("pearson",)
SURE = 1e-4  # share of a sum of squares that is spread: sums lose four digits there, and twelve are left
NO_NUMBER = Caution(
    said="answers that are no number: each counts as the mean of the system's other answers",
    holds=is_no_number,
)
DISTANCE = SampleNumber(
    name="Distance from the reference",
    said="how far the number that is given is from the number that is wanted; an answer that is no number has no distance",
    of=lambda rows: np.where(rows[..., 2] > 0, np.abs(rows[..., 1] - rows[..., 0]), np.nan),
    unit="raw",
    better="lower",
)


def metric() -> Metric:
    """Return Pearson's correlation."""
    return Metric(
        names=NAMES,
        signature="pearson|scale:100|no-number:mean|constant:0|nrefs:var|refs:mean|version:1",
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
    """Return the correlation."""
    wanted, given, there = np.moveaxis(rows, -1, 0)
    count = there.sum(axis=-1, keepdims=True)
    mean = (given * there).sum(axis=-1, keepdims=True) / np.where(count > 0, count, 1.0)
    return 100.0 * correlation(wanted, np.where(there > 0, given, mean))[..., None]


def weighted(
    rows: Array,  # [n, 3]
    drawn: Array,  # [n, resamples] how often each row is drawn
) -> Array:  # [resamples, 1]
    """Return the correlation in resamples, from sums; where a side hardly varies, from the rows themselves."""
    there = rows[:, 2] > 0
    x, y = _centred(rows[:, 0]), np.zeros(len(rows))
    if there.any():
        y[there] = _centred(rows[there, 1])
    count, of_x, of_xx, of_x_there, of_y, of_yy, of_xy = (
        np.stack([there, x, x * x, x * there, y, y * y, x * y]).astype(np.float64) @ drawn
    )
    mean = of_y / np.where(count > 0, count, 1.0)
    spread_x, spread_y = of_xx - of_x**2 / drawn.sum(axis=0), of_yy - of_y * mean
    varies = (of_xx > 0) & (of_yy > 0)
    sure = varies & (spread_x > SURE * of_xx) & (spread_y > SURE * of_yy)
    length = np.sqrt(np.where(sure, spread_x, 1.0)) * np.sqrt(np.where(sure, spread_y, 1.0))
    found = np.where(sure, np.clip((of_xy - mean * of_x_there) / length, -1.0, 1.0), 0.0)[:, None] * 100.0
    for place in np.flatnonzero(varies & ~sure):
        found[place] = statistic(np.repeat(rows, drawn[:, place].astype(np.intp), axis=0))
    return np.asarray(found)


def _centred(numbers: Array) -> Array:  # [n]
    """Return the distances from the mean, 1 at most; exact zeros where all numbers are equal."""
    moved = numbers - numbers.mean() if np.ptp(numbers) > 0 else np.zeros(len(numbers))
    size = np.abs(moved).max()
    return np.asarray(moved / (size or 1.0))
