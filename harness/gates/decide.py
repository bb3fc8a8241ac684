"""Turn numbers into a finding: pass, fail, or inconclusive. Pure functions.

Larger is better. A question passes where the interval of the estimate lies at or above its limit, fails where it lies
below, and is inconclusive where the limit lies within.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.types import Word

FEW = 10  # resamples beyond the limit: with fewer, the normal tail estimates a small chance better than their share


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one question, before all of a file are corrected together."""

    word: Word
    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = (
        None  # two-sided p of a truth at the limit; None: counted or measured, not inferred
    )
    needed: int | None = None
    error: float | None = None  # standard error of the estimate
    note: str = ""  # what else a verdict should say: the test, the method, the layer


def above(estimate: float, drawn: NDArray[np.float64], margin: float, n: int) -> Finding:
    """Return whether a difference lies at or above minus the margin, by its resampled values."""
    low, high = stats.percentile_interval(drawn)
    error = float(drawn.std(ddof=1))
    # Sums of the same rows in another order differ by rounding alone.
    word: Word = (
        "pass" if low >= -margin - stats.TIE else "fail" if high < -margin - stats.TIE else "inconclusive"
    )
    return Finding(
        word=word,
        value=estimate,
        low=low,
        high=high,
        chance=chance_at(estimate, drawn, -margin),
        needed=stats.needed_samples(estimate, error, n, margin=-margin) if word == "inconclusive" else None,
        error=error,
    )


def between(estimate: float, low: float, high: float, margin: float, n: int) -> Finding:
    """Return whether a difference lies at or above minus the margin, by an interval that is assumed to be normal."""
    error = (high - low) / (2 * stats.Z_95)
    word: Word = (
        "pass" if low >= -margin - stats.TIE else "fail" if high < -margin - stats.TIE else "inconclusive"
    )
    away = abs(estimate + margin)
    return Finding(
        word=word,
        value=estimate,
        low=low,
        high=high,
        chance=2 * NormalDist().cdf(-away / error) if error > 0 else float(away <= stats.TIE),
        needed=stats.needed_samples(estimate, error, n, margin=-margin) if word == "inconclusive" else None,
        error=error,
    )


def beaten(difference: Finding, n: int) -> Finding:
    """Turn a finding on a difference into one on a claim, which passes only if the whole interval lies above zero."""
    assert difference.low is not None and difference.high is not None
    equal = not difference.error and difference.value <= stats.TIE
    if difference.low > stats.TIE:
        return replace(difference, word="pass", needed=None)
    if equal or difference.high < 0:
        return replace(difference, word="fail", needed=None)
    needed = stats.needed_samples(difference.value, difference.error or 0.0, n)
    return replace(difference, word="inconclusive", needed=needed)


def chance_at(estimate: float, drawn: NDArray[np.float64], limit: float) -> float:
    """Return the two-sided p of a truth at the limit: how rarely resamples lie on the other side of the limit."""
    beyond = int(min(np.sum(drawn >= limit), np.sum(drawn <= limit)))
    share = 2 * (1 + beyond) / (1 + len(drawn))
    error = float(drawn.std(ddof=1))
    if beyond >= FEW or error <= 0:
        return min(1.0, share)
    return min(1.0, share, 2 * NormalDist().cdf(-abs(estimate - limit) / error))


def proportion(hits: int, n: int, most_percent: float) -> Finding:
    """Return whether a share, in percent, is at most `most_percent` (Wilson)."""
    low, high = stats.wilson(hits, n)
    word: Word = "pass" if high <= most_percent else "fail" if low > most_percent else "inconclusive"
    share = hits / n
    error = 100 * (max(share * (1 - share), 1 / (4 * n)) / n) ** 0.5
    z = abs(100 * share - most_percent) / error
    return Finding(
        word=word,
        value=100 * share,
        low=low,
        high=high,
        chance=min(1.0, 2 * NormalDist().cdf(-z)),
        needed=stats.needed_trials(hits, n, most_percent / 100) if word == "inconclusive" else None,
        error=error,
    )


def share_at_least(hits: int, n: int, least_percent: float) -> Finding:
    """Return whether a share of hits is at least `least_percent`: whether misses are at most the rest."""
    return turned(proportion(n - hits, n, 100 - least_percent), 100.0)


def exact(value: float, holds: bool, note: str = "") -> Finding:
    """Return the finding on a number that is counted or measured, not inferred."""
    return Finding(word="pass" if holds else "fail", value=value, note=note)


def turned(finding: Finding, whole: float = 0.0) -> Finding:
    """Return the finding on the whole minus the number: a share of misses becomes a share of hits, a loss a gain."""
    low = None if finding.high is None else whole - finding.high
    high = None if finding.low is None else whole - finding.low
    return replace(finding, value=whole - finding.value, low=low, high=high)


def times(finding: Finding, factor: float) -> Finding:
    """Return the finding in another unit; its standard error stays in the old unit."""
    assert finding.low is not None and finding.high is not None
    return replace(
        finding, value=factor * finding.value, low=factor * finding.low, high=factor * finding.high
    )
