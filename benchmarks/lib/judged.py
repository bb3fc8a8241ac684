"""Simulated judges whose error is known: how often intervals of corrected rates and differences hold the truth."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from harness import stats

Judge = tuple[float, float]  # sensitivity, specificity


def _drawn(random: np.random.Generator, has: NDArray[np.bool_], judge: Judge) -> NDArray[np.float64]:
    """What a judge gives answers."""
    sensitivity, specificity = judge
    return np.where(has, random.random(len(has)) < sensitivity, random.random(len(has)) > specificity).astype(
        float
    )


def _labelled(random: np.random.Generator, judge: Judge, each: int) -> stats.JudgeErrors:
    """How a judge errs on so many labelled answers of each sort."""
    return stats.JudgeErrors(
        positives=each,
        found=float(random.binomial(each, judge[0])),
        negatives=each,
        mistaken=float(random.binomial(each, 1 - judge[1])),
    )


def rates(truth: float, judge: Judge, n: int, each: int, repeats: int) -> tuple[float, float, float, float]:
    """Percent of intervals with the truth: ours, Lang and Reiczigel's, of the share as judged; and of judges that tell."""
    random = np.random.default_rng(11)
    hits = np.zeros(3)
    told = 0
    for _ in range(repeats):
        given = _drawn(random, random.random(n) < truth, judge)
        errors = _labelled(random, judge, each)
        low, high = stats.wilson(given.sum(), n)
        hits[2] += low <= 100 * truth <= high
        if not errors.tells:
            continue
        told += 1
        ours = stats.corrected(given, errors)
        hits[0] += ours.low <= 100 * truth <= ours.high
        low, high = lang_reiczigel(float(given.sum()), n, errors)
        hits[1] += low <= 100 * truth <= high
    shares = 100 * hits / np.array([max(1, told), max(1, told), repeats])
    return float(shares[0]), float(shares[1]), float(shares[2]), 100 * told / repeats


def differences(
    truths: tuple[float, float], judges: tuple[Judge, Judge], same: bool, n: int, each: int, repeats: int
) -> tuple[float, float]:
    """Percent of intervals of a paired difference with the truth, and of p under 0.05."""
    random = np.random.default_rng(12)
    told = covered = found = 0
    for _ in range(repeats):
        first = random.random(n)
        second = np.where(
            random.random(n) < 0.5, first, random.random(n)
        )  # answers of an adapter resemble its base's
        before = _drawn(random, first < truths[0], judges[0])
        after = _drawn(random, second < truths[1], judges[1])
        of_first = _labelled(random, judges[0], each)
        of_second = of_first if same else _labelled(random, judges[1], each)
        if not (of_first.tells and of_second.tells):
            continue
        told += 1
        change = stats.corrected_difference(before, after, of_first, of_second, same=same)
        covered += change.low <= 100 * (truths[1] - truths[0]) <= change.high
        assert change.p is not None
        found += change.p < 0.05
    return 100 * covered / max(1, told), 100 * found / max(1, told)


def lang_reiczigel(total: float, n: int, errors: stats.JudgeErrors) -> tuple[float, float]:
    """The interval that arXiv 2511.21140 gives (Lang and Reiczigel 2014), in percent."""
    z = stats.Z_95
    size = n + z**2
    share = (total + z**2 / 2) / size
    m1, m0 = errors.positives + 2, errors.negatives + 2
    q1, q0 = (errors.found + 1) / m1, 1 - (errors.mistaken + 1) / m0
    gap = q0 + q1 - 1
    rate = (share + q0 - 1) / gap
    shift = 2 * z**2 * (rate * q1 * (1 - q1) / m1 - (1 - rate) * q0 * (1 - q0) / m0)
    variance = (
        share * (1 - share) / size + (1 - rate) ** 2 * q0 * (1 - q0) / m0 + rate**2 * q1 * (1 - q1) / m1
    )
    reach = z * sqrt(variance) / gap
    ends = np.clip([rate + shift - reach, rate + shift + reach], 0, 1)
    return float(100 * ends[0]), float(100 * ends[1])
