"""Estimate a recipe's mean over its training seeds: how far another seed and other samples could move it.

Adapters of one recipe vary with the seed, and all of them together with the samples; an interval needs both. Resampling
a handful of seeds like samples covers too little, and a t interval on the seeds' scores leaves the samples out:
`benchmarks/races/honesty.py` measures the coverage of both, and of the intervals here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats.draws import RESAMPLES, resampled
from harness.stats.intervals import ENDS, Z_95
from harness.stats.table import Array, Formula, Table

T_FROM, DRAWN_FROM = 3, 5  # fewest seeds for a t interval, and for an interval that draws seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds and its 95 % interval; arrays [names]."""

    value: Array
    low: Array | None = None  # None: two seeds say too little
    high: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverSeeds:
    """The mean score of a recipe's adapters, and its difference from their base."""

    score: Estimate
    difference: Estimate | None  # None: there is no base
    method: str  # how the intervals were made, in words


def over_seeds(
    rows: Sequence[Array],  # a seed each [n, k], the same samples in the same order
    base: Array | None,  # [n, k], the same samples
    value: Formula,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
) -> OverSeeds:
    """Return the mean over seeds and its difference to the base, with intervals from three seeds on.

    Fewer than two seeds: ValueError.
    """
    seeds = len(rows)
    if seeds < 2:
        raise ValueError(f"{seeds} seed has no spread: give at least 2, better {DRAWN_FROM}")
    table = Table(rows=np.stack([*rows, *([] if base is None else [base])], axis=1), value=value)
    scores = table.scores()  # [seeds and base, names]
    own, to_base = scores[:seeds], scores[:seeds] - scores[-1]
    if seeds < T_FROM:
        return OverSeeds(
            score=Estimate(value=own.mean(axis=0)),
            difference=None if base is None else Estimate(value=to_base.mean(axis=0)),
            method=f"no interval: {seeds} seeds say too little",
        )
    drawn = resampled([table], resamples=resamples, seed=seed, clusters=clusters)[0]
    around = _drawn if seeds >= DRAWN_FROM else _by_t
    return OverSeeds(
        score=around(own, drawn[:seeds], seed),
        difference=None if base is None else around(to_base, drawn[:seeds] - drawn[-1], seed),
        method=f"two-level bootstrap over {seeds} seeds and the samples, {resamples} resamples, seed {seed}"
        if seeds >= DRAWN_FROM
        else f"t interval over {seeds} seeds with the samples' bootstrap variance, {resamples} resamples, seed {seed}",
    )


def _drawn(
    scores: Array,  # [seeds, names]
    drawn: Array,  # [seeds, names, resamples]: all seeds on the same resampled samples
    seed: int,
) -> Estimate:
    """Return percentiles of means over seeds, where seeds are drawn with replacement as samples are.

    The distance of such a mean from the mean of all seeds is stretched for two reasons: m seeds drawn from m have a
    standard deviation too small by √((m − 1) / m), and normal percentiles are too narrow against those of t with m − 1
    degrees of freedom (Hesterberg 2015 widens the percentiles of a small sample so). Without stretching, five seeds cover
    85 % where seeds matter more than samples.
    """
    seeds, _, resamples = drawn.shape
    stretch = _t_95(seeds - 1) / Z_95 * (seeds / (seeds - 1)) ** 0.5
    picked = np.random.default_rng((seed, 2)).multinomial(seeds, [1 / seeds] * seeds, size=resamples)
    of_all = drawn.mean(axis=0)
    of_picked = np.einsum("rs,snr->nr", picked / seeds, drawn)
    low, high = np.quantile(of_all + stretch * (of_picked - of_all), ENDS, axis=-1)
    return Estimate(value=scores.mean(axis=0), low=low, high=high)


def _by_t(scores: Array, drawn: Array, _: int) -> Estimate:
    """Return a t interval on the sum of seeds' and samples' variance, with Satterthwaite's (1946) degrees of freedom.

    The effect of a seed on single samples counts in both variances, so the interval is rather too wide.
    """
    seeds = len(scores)
    by_seed = scores.var(axis=0, ddof=1) / seeds
    by_sample = drawn.mean(axis=0).var(axis=-1, ddof=1)
    total = by_seed + by_sample
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = np.where(by_seed > 0, (seeds - 1) * (total / by_seed) ** 2, np.inf)
    half = _t_95(freedom) * np.sqrt(total)
    value = scores.mean(axis=0)
    return Estimate(value=value, low=value - half, high=value + half)


def _t_95(freedom: Array | int) -> Array:
    """Return the 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.minimum(freedom, 1e6), 0.975), dtype=np.float64)
