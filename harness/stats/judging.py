"""Correct what a judge that errs has counted, with intervals that count the judge's error too.

A judge finds something in an answer: 1, or 0 where it does not, or 0.5 where it cannot tell two answers apart. Labelled
answers tell how often it finds what is there (sensitivity) and what is not there (one minus specificity). The corrected rate
is Rogan and Gladen's (1978), which arXiv 2511.21140 recommends for models as judges. Its interval holds every rate that fits
to all three shares (Fieller 1954), with the added counts of Lang and Reiczigel (2014): it has its coverage for weak judges
too, where theirs has not (benchmarks/races/judges.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist

import numpy as np

from harness.stats.intervals import Z_95, wilson
from harness.stats.table import Array

LABELLED = 10  # answers with, and as many without what is looked for: with fewer nothing is corrected
DIFFERENT = 0.05  # p, under which the errors of a judge on two systems' answers are not the same


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeErrors:
    """How a judge erred on labelled answers."""

    positives: int  # answers that have what is looked for
    found: float  # what the judge gave these, summed
    negatives: int  # answers that do not have it
    mistaken: float  # what the judge gave these, summed

    @property
    def sensitivity(self) -> tuple[float, float, float]:
        """Return the share of what is there that is found, with its 95 % interval (Wilson), in percent."""
        return _share(self.found, self.positives)

    @property
    def specificity(self) -> tuple[float, float, float]:
        """Return the share of what is not there that is not found, with its 95 % interval (Wilson), in percent."""
        return _share(self.negatives - self.mistaken, self.negatives)

    @property
    def enough(self) -> bool:
        """Return whether there are enough labelled answers of both sorts to correct by."""
        return min(self.positives, self.negatives) >= LABELLED

    @property
    def tells(self) -> bool:
        """Return whether the judge tells answers with from answers without, beyond chance: intervals then have two ends."""
        return self.enough and self._gap - Z_95 * sqrt(sum(self._spreads)) > 0

    @property
    def _gap(self) -> float:
        """Return sensitivity minus one minus specificity; one more of each kind of answer is counted, as in the interval."""
        return self._hits - self._misses

    @property
    def _hits(self) -> float:
        return (self.found + 1) / (self.positives + 2)

    @property
    def _misses(self) -> float:
        return (self.mistaken + 1) / (self.negatives + 2)

    @property
    def _spreads(self) -> tuple[float, float]:
        """Return the variances of both shares."""
        hits, misses = self._hits, self._misses
        return hits * (1 - hits) / (self.positives + 2), misses * (1 - misses) / (self.negatives + 2)

    def __add__(self, other: "JudgeErrors") -> "JudgeErrors":
        return JudgeErrors(
            positives=self.positives + other.positives,
            found=self.found + other.found,
            negatives=self.negatives + other.negatives,
            mistaken=self.mistaken + other.mistaken,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A corrected rate or a difference of two, in percent, with its 95 % interval."""

    value: float
    low: float
    high: float
    p: float | None = None  # of a difference: two-sided, of no difference


def corrected(
    judged: Array,  # [n], what the judge gave each answer
    errors: JudgeErrors,
) -> Corrected:
    """Return the corrected rate; `errors.tells` must hold."""
    value = _plain(judged, errors)
    low, high = (_within(end) for end in _ends(judged, errors))
    return Corrected(value=100 * value, low=100 * min(low, value), high=100 * max(high, value))


def fits(judged: Array, errors: JudgeErrors) -> bool:
    """Return whether the judge's errors allow for what was judged: some rate from 0 to 1 explains it."""
    low, high = _ends(judged, errors)
    return high >= 0 and low <= 1


def _ends(judged: Array, errors: JudgeErrors) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the corrected rate, which may lie outside of 0 to 1."""
    n, total = len(judged), float(np.sum(judged))
    size = n + Z_95**2
    share = (total + Z_95**2 / 2) / size
    of_hits, of_misses = errors._spreads
    gap, above = errors._gap, share - errors._misses
    # A rate belongs to the interval where (above - rate * gap)^2 is at most z^2 times its variance, which has the terms
    # share, rate^2 and (1 - rate)^2: a quadratic in the rate, open upwards since the judge tells.
    square = gap**2 - Z_95**2 * (of_hits + of_misses)
    half = above * gap - Z_95**2 * of_misses
    rest = above**2 - Z_95**2 * (share * (1 - share) / size + of_misses)
    reach = sqrt(max(0.0, half**2 - square * rest))
    return (half - reach) / square, (half + reach) / square


def corrected_difference(
    before: Array,  # [n], what the judge gave each answer of one system
    after: Array,  # [n], and of another, to the same samples
    errors_before: JudgeErrors,
    errors_after: JudgeErrors,
    *,
    same: bool,  # both systems' errors were found on the same labelled answers
) -> Corrected:
    """Return the corrected rate of the second minus that of the first; both judges' errors must tell.

    The samples' part is the spread of paired differences, with two pairs added of which one was won and one lost, as Agresti
    and Min add them; the judge's part is linear in both shares. Where both rates rest on the same labelled answers, the
    judge's errors cancel as far as the rates are equal.
    """
    a, b = _linear(before, errors_before), _linear(after, errors_after)
    value = b.rate - a.rate
    ends = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
    pairs = np.concatenate([np.stack([before, after], axis=1), ends])
    weights = np.concatenate([np.ones(len(before)), np.full(4, 0.5)])
    change = pairs[:, 1] / errors_after._gap - pairs[:, 0] / errors_before._gap
    size = weights.sum()
    mean = float(weights @ change / size)
    variance = float(weights @ (change - mean) ** 2 / size) / size
    if same:
        variance += (b.by_hits - a.by_hits) ** 2 * a.of_hits + (b.by_misses - a.by_misses) ** 2 * a.of_misses
    else:
        variance += sum(one.by_hits**2 * one.of_hits + one.by_misses**2 * one.of_misses for one in (a, b))
    reach, middle = Z_95 * sqrt(variance), value
    p = 2 * NormalDist().cdf(-abs(value) / sqrt(variance)) if variance > 0 else 1.0
    value = _plain(after, errors_after) - _plain(before, errors_before)
    low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return Corrected(value=100 * value, low=100 * min(low, value), high=100 * max(high, value), p=p)


def errors_differ(one: JudgeErrors, other: JudgeErrors) -> float:
    """Return the p that a judge errs alike on the answers of two systems: Fisher's test of both shares, with Holm."""
    hits = fisher(one.found, one.positives, other.found, other.positives)
    misses = fisher(one.mistaken, one.negatives, other.mistaken, other.negatives)
    return min(1.0, 2 * min(hits, misses))


def fisher(a: float, n: int, b: float, m: int) -> float:
    """Return the two-sided p of Fisher's exact test that a of n and b of m are draws of one share; halves are rounded."""
    a, b = round(a), round(b)
    total = a + b
    ways = [comb(n, k) * comb(m, total - k) for k in range(max(0, total - m), min(n, total) + 1)]
    seen = comb(n, a) * comb(m, b)
    return sum(way for way in ways if way <= seen) / sum(ways)


@dataclass(frozen=True, slots=True)
class _Linear:
    """A corrected rate, and how it moves with the shares that it is corrected by."""

    rate: float
    by_hits: float
    by_misses: float
    of_hits: float  # variance of the share
    of_misses: float


def _linear(judged: Array, errors: JudgeErrors) -> _Linear:
    n, gap = len(judged), errors._gap
    rate = _rate((float(np.sum(judged)) + 1) / (n + 2), errors._hits, errors._misses)
    of_hits, of_misses = errors._spreads
    return _Linear(rate, -rate / gap, (rate - 1) / gap, of_hits, of_misses)


def _plain(judged: Array, errors: JudgeErrors) -> float:
    """Return a corrected rate without the added counts that its interval has."""
    hits, misses = errors.found / errors.positives, errors.mistaken / errors.negatives
    return _within(_rate(float(np.mean(judged)), hits, misses))


def _rate(share: float, hits: float, misses: float) -> float:
    return (share - misses) / (hits - misses)


def _within(rate: float) -> float:
    return min(1.0, max(0.0, rate))


def _share(found: float, of: int) -> tuple[float, float, float]:
    low, high = wilson(found, of)
    return 100 * found / of, low, high


def alike(each: Sequence[JudgeErrors]) -> bool:
    """Return whether a judge errs alike on the answers of all systems: each against all others, Holm's over the systems."""
    usable = [errors for errors in each if errors.positives and errors.negatives]
    if len(usable) < 2:
        return True
    chances = []
    for place, errors in enumerate(usable):
        others = [other for at, other in enumerate(usable) if at != place]
        rest = others[0]
        for other in others[1:]:
            rest = rest + other
        chances.append(errors_differ(errors, rest))
    return min(chances) * len(chances) >= DIFFERENT
