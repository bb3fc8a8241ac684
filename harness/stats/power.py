"""How many samples: what a test set can show, and how large one would settle what this one leaves open.

A standard error falls as one over the root of the number of samples; all of this rests on that, and on estimates
that scatter normally.
"""

from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from harness.stats.intervals import Z_95

Z_80 = 0.8416212335729143  # standard normal quantile of 80 %, for power
DETECTED = Z_95 + Z_80  # standard errors: a difference so large is found with 80 % power at 5 %
POWER = 0.8
# Chance that is asked of a number of samples which should settle what is open. More than 80 %: where the truth lies half a
# standard error from the limit, that settled 75 of 100 open questions, and this settles 79 (benchmarks/races/honesty.py).
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
    if margin <= error / 1e9:  # nothing, or so little that its square is lost
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

    By assurance (O'Hagan, Stevens and Campbell 2005): the truth is taken to lie as the interval says, around the
    difference that was found. Times k as many samples then find a difference that scatters around this one with
    error² (1 − 1/k), and an interval of half width 1.96 error / √k. A plan for the difference as it was found would
    ask for ever more samples the nearer it is to the margin; this one asks for 76 times as many at most.
    An estimate that is clear of the margin by 1.96 errors may still be open, where its interval is skewed:
    it counts as one that is barely open.
    """
    if error <= 0:
        return n
    away = min(Z_95, abs(difference - margin) / error)

    def decides(t: float) -> float:  # t = 1 / √k
        scatter = sqrt(1 - t * t)
        return _NORMAL.cdf((away - Z_95 * t) / scatter) + _NORMAL.cdf((-away - Z_95 * t) / scatter)

    few, many = 1.0, 0.0  # the chance falls from 1 to nothing as t rises from 0 to 1
    for _ in range(60):
        middle = (few + many) / 2
        few, many = (few, middle) if decides(middle) >= chance else (middle, many)
    return ceil(n / many**2)


MOST_TRIALS = 1 << 24  # a share that lies on the limit is never decided


def needed_trials(
    hits: int,
    n: int,
    limit: float,  # 0 to 1: on which side of it the share lies is the question
    *,
    chance: float = SETTLED,
) -> int:
    """Return the number of samples for a share, whose interval is Wilson's: near 0 and 1 it is far from a normal one.

    The share is taken to be as the hits say (Jeffreys' prior), the further trials to follow it: both are drawn 1,000
    times, always the same, and the number of trials is doubled, then halved, until 82 % of these are decided.
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
