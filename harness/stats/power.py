"""Compute sample sizes: what a test set can show, and how large a test set would settle an open question.

All of it assumes that a standard error falls with the square root of the number of samples, and that estimates are
normally distributed.
"""

from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from harness.stats.intervals import Z_95

Z_80 = 0.8416212335729143  # standard normal quantile of 80 %, for power
DETECTED = Z_95 + Z_80  # standard errors: a difference so large is found with 80 % power at 5 %
POWER = 0.8
# Probability with which a number of samples should settle an open question. It is more than 80 %: where the truth lies half
# a standard error from the limit, 80 % settled 75 of 100 open questions, and 82 % settles 79 (benchmarks/races/honesty.py).
SETTLED = 0.82
_NORMAL = NormalDist()


def pass_chance(
    margin: float,  # 0 or more: the drop that is tolerated
    error: float,  # standard error of the difference
) -> float:  # 0 to 1
    """Return the probability that an adapter with no true drop passes: that its interval lies above minus the margin."""
    return _NORMAL.cdf(margin / error - Z_95) if error > 0 else 1.0


def samples_for_pass(
    margin: float,
    error: float,  # at n samples
    n: int,
    chance: float = POWER,
) -> int | None:  # None: with no margin, no number suffices
    """Return the fewest samples at which an adapter with no true drop passes with that probability."""
    if error <= 0:
        return 2
    if margin <= error / 1e9:  # zero, or so small that its square underflows
        return None
    times = ((Z_95 + _NORMAL.inv_cdf(chance)) * error / margin) ** 2
    return max(2, ceil(n * times - 1e-9))


def needed_samples(
    difference: float,
    error: float,  # its standard error at n samples
    n: int,
    *,
    margin: float = 0.0,  # on which side of it the truth lies is the question: minus the tolerated drop
    chance: float = SETTLED,
) -> int:
    """Return the number of samples, these n included, that would probably decide a question that n samples leave open.

    By assurance (O'Hagan, Stevens and Campbell 2005): the truth is assumed to be distributed around the measured
    difference as the interval says. With k times as many samples, the new difference then has the variance
    error² (1 − 1/k) around the measured one, and its interval has the half width 1.96 error / √k. A plan for exactly the
    measured difference would need ever more samples the nearer it is to the margin; this plan needs at most 76 times as
    many. An estimate more than 1.96 errors away from the margin may still be open if its interval is skewed: it counts
    as barely open.
    """
    if error <= 0:
        return n
    away = min(Z_95, abs(difference - margin) / error)

    def decides(t: float) -> float:  # t = 1 / √k
        scatter = sqrt(1 - t * t)
        return _NORMAL.cdf((away - Z_95 * t) / scatter) + _NORMAL.cdf((-away - Z_95 * t) / scatter)

    few, many = 1.0, 0.0  # the chance falls from 1 to 0 as t rises from 0 to 1
    for _ in range(60):
        middle = (few + many) / 2
        few, many = (few, middle) if decides(middle) >= chance else (middle, many)
    return ceil(n / many**2)


MOST_TRIALS = 1 << 24  # a share exactly on the limit is never decided


def needed_trials(
    hits: int,
    n: int,
    limit: float,  # 0 to 1: on which side of it the share lies is the question
    *,
    chance: float = SETTLED,
) -> int:
    """Return the number of samples that would probably decide a share, whose Wilson interval is not normal near 0 and 1.

    The share is drawn 1,000 times from its posterior (Jeffreys' prior), and the further trials from the share, with fixed
    seeds. The number of trials is doubled, then bisected, until 82 % of the draws are decided.
    """
    random = np.random.default_rng(0)
    shares = random.beta(hits + 0.5, n - hits + 0.5, 1_000)

    def decided(total: int) -> bool:
        found = (hits + np.random.default_rng(1).binomial(total - n, shares)) / total
        shrink = Z_95**2 / total
        centre = (found + shrink / 2) / (1 + shrink)
        half = Z_95 * np.sqrt(found * (1 - found) / total + shrink / (4 * total)) / (1 + shrink)
        return bool(np.mean(np.abs(centre - limit) >= half) >= chance)

    few, many = n, 2 * n
    while not decided(many) and many < MOST_TRIALS:
        few, many = many, 2 * many
    while many - few > max(1, few // 100):
        middle = (few + many) // 2
        few, many = (few, middle) if decided(middle) else (middle, many)
    return many
