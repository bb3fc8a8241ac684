"""Compute 95 % intervals: percentile and BCa of resamples, Wilson of a proportion, Agresti and Min of two paired ones."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from harness.stats.draws import RESAMPLES, counts, resampled
from harness.stats.table import TIE, Array, Formula, RowStatistic, Table, Value, units

Z_95 = 1.959963984540054  # standard normal quantile of 97.5 %, for a two-sided interval of 95 %
ENDS = (0.025, 0.975)
BOUNDED = ("points", "%")  # units of scores from 0 to 100


def bootstrap(
    rows: Array,  # [n, k]
    value: Formula,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,  # n labels; samples of one label are drawn together
) -> Array:  # [resamples, names]
    """Return scores of samples drawn with replacement (Efron 1979), of whole clusters if given (Miller 2024)."""
    if isinstance(value, RowStatistic):
        table = Table(rows=np.asarray(rows)[:, None], value=value)
        drawn: Array = resampled([table], resamples=resamples, seed=seed, clusters=clusters)[0][0].T
        return drawn
    rows = units(rows, clusters)
    return np.concatenate([value(drawn @ rows) for drawn in counts(len(rows), resamples, seed)])


def percentile_interval(
    values: Array,  # [resamples]
) -> tuple[float, float]:
    """Return the middle 95 % of resampled values."""
    low, high = np.quantile(values, ENDS)
    return float(low), float(high)


def score_interval(
    value: float,
    resampled: Array,  # [resamples]
    n: int,  # samples, or clusters of them
    unit: str,  # of the score
) -> tuple[float, float] | None:
    """Return the 95 % interval of a score: the middle of its resampled values.

    Where all resamples are equal, they say nothing about other samples. A score from 0 to 100 then gets the interval of
    `unseen_interval`, and a score without such ends none.
    """
    if np.ptp(resampled) > TIE:
        return percentile_interval(resampled)
    return unseen_interval(value, n) if unit in BOUNDED else None


def unseen_interval(value: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a score from 0 to 100 that n equal samples have.

    The share of samples that are otherwise, of which none was seen, is at most z² / (n + z²), as in Wilson's interval of no
    hits. They may score 0 or 100: at 0 and at 100 the interval is Wilson's.
    """
    unseen = Z_95**2 / (n + Z_95**2)
    return value - unseen * max(0.0, value), value + unseen * (100.0 - value)


def bca_interval(
    rows: Array,  # [n, k]
    value: Value,
    resampled: Array,  # [resamples, names], as `bootstrap` draws them
    clusters: Sequence[int] | None = None,
) -> tuple[Array, Array]:  # ends [names]
    """Return the bias-corrected and accelerated interval (Efron 1987).

    Percentiles are moved by the place of the score among the resampled scores, and by the skewness of the changes when
    each sample (or cluster) is left out. Constant rows show neither: their percentile ends stay.
    """
    rows = units(rows, clusters)
    total = rows.sum(axis=0)
    return bca_ends(value(total), resampled, value(total - rows))


def bca_difference(
    rows_a: Array,  # baseline [n, k]
    rows_b: Array,  # candidate [n, k], the same samples in the same order
    value: Value,
    resampled: Array,  # differences [resamples, names]
    clusters: Sequence[int] | None = None,
) -> tuple[Array, Array]:  # ends [names]
    """Return the interval of candidate minus baseline; the jackknife leaves a sample out on both sides."""
    a, b = units(rows_a, clusters), units(rows_b, clusters)
    total_a, total_b = a.sum(axis=0), b.sum(axis=0)
    return bca_ends(value(total_b) - value(total_a), resampled, value(total_b - b) - value(total_a - a))


def bca_ends(
    observed: Array,  # [names]
    resampled: Array,  # [resamples, names]
    left_out: Array,  # [n, names], without the i-th sample
) -> tuple[Array, Array]:  # [names]
    """Return the BCa interval of observed, resampled and jackknife values."""
    ends = [_ends(*each) for each in zip(observed, resampled.T, left_out.T, strict=True)]
    low, high = np.array(ends).T
    return low, high


def _ends(observed: float, resampled: Array, left_out: Array) -> Array:
    normal = NormalDist()
    # Resamples that equal the score count half: with rows of hits there are many.
    below = float(np.mean(resampled < observed - TIE) + np.mean(np.abs(resampled - observed) <= TIE) / 2)
    pulls = left_out.mean() - left_out
    size = np.sum(pulls**2) ** 1.5
    if not 0 < below < 1 or not size > 0:
        return np.quantile(resampled, ENDS)
    bias = normal.inv_cdf(below)
    acceleration = np.sum(pulls**3) / (6 * size)
    moved = [bias + normal.inv_cdf(end) for end in ENDS]
    if any(acceleration * one >= 1 for one in moved):
        return np.quantile(resampled, ENDS)
    return np.quantile(resampled, [normal.cdf(bias + one / (1 - acceleration * one)) for one in moved])


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927), on 0 to 100; sound at 0 and at n hits."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"no proportion: {hits:g} hits of {n:g} samples")
    share, shrink = hits / n, Z_95**2 / n
    centre = (share + shrink / 2) / (1 + shrink)
    half = Z_95 * (share * (1 - share) / n + shrink / (4 * n)) ** 0.5 / (1 + shrink)
    # At 0 and n hits the bound is exact; the formula misses it by rounding.
    low = 0.0 if hits == 0 else 100.0 * (centre - half)
    high = 100.0 if hits == n else 100.0 * (centre + half)
    return low, high


def changed_interval(
    won: int,  # samples that the candidate alone hits
    lost: int,  # and the baseline alone
    n: int,  # all samples
) -> tuple[float, float, float]:  # low and high, -100 to 100, and the standard error
    """Return the 95 % interval of the difference of two proportions of the same samples (Agresti and Min 2005).

    It is Wald's interval with half a sample added to each cell of the table of both. With two changed samples in 200, a
    bootstrap interval covers 78 to 86 %: one without change says that none ever occurs (benchmarks/races/honesty.py).
    """
    if won < 0 or lost < 0 or won + lost > n or n < 1:
        raise ValueError(f"no proportions: {won} won and {lost} lost of {n} samples")
    more = n + 2
    centre = 100.0 * (won - lost) / more
    error = 100.0 * (won + lost + 1 - (won - lost) ** 2 / more) ** 0.5 / more
    half = Z_95 * error
    return max(-100.0, centre - half), min(100.0, centre + half), error
