"""Which differences are real: bootstrap, approximate randomisation, exact McNemar, Wilson, Holm.

All resampling is a matrix product of counts (or swaps) with rows of sums. The draw depends only on the number
of samples (or clusters), of resamples and the seed: everything in one table sees the same resamples.
The i-th row is given the i-th count, so all systems' rows come in one order of samples. Another order is
another draw: scores, differences and exact tests stay, and resampled numbers move within their noise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Value = Callable[[Array], Array]  # totals [..., k] -> scores [..., names]

Z_95 = 1.959963984540054  # standard normal quantiles: 97.5 %, for a two-sided interval of 95 %,
Z_80 = 0.8416212335729143  # and 80 %, for power

# Two differences on the scale 0 to 100 closer than this are a tie: rounding alone makes them differ.
TIE = 1e-9

# Counts drawn at once, 4 MB as uint16 and 16 MB as the float64 that they are multiplied as.
CELLS = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Candidate (b) minus baseline (a) on the same samples; arrays [names]."""

    difference: Array
    low: Array  # 95 % paired bootstrap interval
    high: Array
    p: Array  # two-sided
    detectable: Array  # smallest difference found with 80 % power at 5 %, given the spread of the differences
    test: str  # what p is, in words


def bootstrap(
    rows: Array,  # [n, k]
    value: Value,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    clusters: Sequence[int] | None = None,  # n labels; samples of one label are drawn together
) -> Array:  # [resamples, names]
    """Scores of samples drawn with replacement (Efron 1979), of whole clusters if given (Miller 2024)."""
    rows = _units(rows, clusters)
    return np.concatenate([value(counts @ rows) for counts in _counts(len(rows), resamples, seed)])


def percentile_interval(
    values: Array,  # [resamples]
) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def wilson(hits: float, n: float) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927), on 0 to 100; sound at 0 and at n hits."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"no proportion: {hits:g} hits of {n:g} samples")
    share, shrink = hits / n, Z_95**2 / n
    centre = (share + shrink / 2) / (1 + shrink)
    half = Z_95 * (share * (1 - share) / n + shrink / (4 * n)) ** 0.5 / (1 + shrink)
    # At 0 and n hits the bound is exact; the formula misses it by rounding.
    low = 0.0 if hits == 0 else 100.0 * (centre - half)
    high = 100.0 if hits == n else 100.0 * (centre + half)
    return low, high


def paired(
    rows_a: Array,  # baseline [n, k]
    rows_b: Array,  # candidate [n, k], the same samples in the same order
    value: Value,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
    interval: Literal["bootstrap", "wilson"] = "bootstrap",
) -> Paired:
    """The difference with a paired bootstrap interval (Koehn 2004) and the p of no difference.

    p is approximate randomisation's (Riezler and Maxwell 2005): how often the difference is as large when
    each sample's two answers change sides at random. Rows of hits ("wilson") get the exact McNemar test instead,
    unless clustered: it takes samples for independent.
    Fewer than two samples (or clusters): ValueError.
    """
    if np.shape(rows_a) != np.shape(rows_b):
        raise ValueError(
            f"rows of {np.shape(rows_a)} and {np.shape(rows_b)} are not pairs: give the same samples"
        )
    exact = interval == "wilson" and clusters is None
    hits_a, hits_b = np.asarray(rows_a)[:, 0], np.asarray(rows_b)[:, 0]
    a, b = _units(rows_a, clusters), _units(rows_b, clusters)
    difference = value(b.sum(axis=0)) - value(a.sum(axis=0))
    spread = np.concatenate(
        [value(counts @ b) - value(counts @ a) for counts in _counts(len(a), resamples, seed)]
    )
    low, high = np.percentile(spread, (2.5, 97.5), axis=0)
    return Paired(
        difference=difference,
        low=low,
        high=high,
        p=np.array([mcnemar(hits_a, hits_b)]) if exact else _randomisation(a, b, value, resamples, seed),
        detectable=(Z_95 + Z_80) * spread.std(axis=0, ddof=1),
        test="exact McNemar" if exact else f"approximate randomisation, {resamples} resamples, seed {seed}",
    )


def mcnemar(
    hits_a: Array,  # [n], 0 or 1
    hits_b: Array,  # [n]
) -> float:
    """Exact two-sided p of as many hits won as lost (McNemar 1947): a sign test on samples that changed."""
    won, lost = int(np.sum(hits_b > hits_a)), int(np.sum(hits_b < hits_a))
    changed, fewer = won + lost, min(won, lost)
    ways = tail = 1  # of the `changed` samples, 0 on the one side
    for k in range(fewer):
        ways = ways * (changed - k) // (k + 1)
        tail += ways
    return float(min(1.0, 2 * tail / 2**changed))


def holm(p: Sequence[float]) -> list[float]:
    """p adjusted for as many questions as there are (Holm 1979), in input order."""
    if not all(0 <= one <= 1 for one in p):
        raise ValueError(f"not probabilities: {[one for one in p if not 0 <= one <= 1]}")
    adjusted, floor = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        floor = max(floor, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = floor
    return adjusted


def resamples_for(family_size: int) -> int:
    """20 x family / 0.05, so that the smallest p there is, 1 / (1 + resamples), survives Holm with room."""
    return max(10_000, 400 * family_size)


def _randomisation(a: Array, b: Array, value: Value, resamples: int, seed: int) -> Array:
    observed = np.abs(value(b.sum(axis=0)) - value(a.sum(axis=0)))
    total_a, total_b, gap = a.sum(axis=0), b.sum(axis=0), b - a
    hits = np.zeros_like(observed)
    for swaps in _swaps(len(a), resamples, seed):
        moved = swaps @ gap
        shuffled = np.abs(value(total_b - moved) - value(total_a + moved))
        hits += (shuffled >= observed - TIE).sum(axis=0)
    return np.asarray((1 + hits) / (1 + resamples))


def _units(rows: Array, clusters: Sequence[int] | None) -> Array:
    """What is drawn: samples, or the sums of clusters in the order of their labels."""
    rows = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise ValueError(
            f"row {int(np.argmin(np.isfinite(rows).all(axis=1)))} holds a number that is not finite"
        )
    if clusters is not None:
        if len(clusters) != len(rows):
            raise ValueError(f"{len(clusters)} cluster labels for {len(rows)} samples")
        labels, which = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((len(labels), rows.shape[1]))
        np.add.at(summed, which, rows)
        rows = summed
    if len(rows) < 2:
        what = "sample" if clusters is None else "cluster"
        raise ValueError(f"{len(rows)} {what} has no spread to resample: give at least 2, better 100")
    return rows


def _counts(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each of n units is drawn, in chunks [some resamples, n] that make up all."""
    for chunk, size in enumerate(_sizes(n, resamples)):
        yield _drawn(n, size, seed, chunk).astype(np.float64)


@lru_cache(maxsize=16)  # 64 MB at most: the same draw serves every system and metric of a table
def _drawn(n: int, size: int, seed: int, chunk: int) -> NDArray[np.uint16]:
    random = np.random.default_rng((seed, 0, chunk))
    picked = random.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
    counts = np.bincount(picked.ravel(), minlength=size * n).reshape(size, n).astype(np.uint16)
    counts.flags.writeable = False
    return counts


def _swaps(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """Which of n pairs change sides (1) or stay (0), in chunks [some resamples, n]; a stream of its own."""
    for chunk, size in enumerate(_sizes(n, resamples)):
        random = np.random.default_rng((seed, 1, chunk))
        yield random.integers(0, 2, size=(size, n), dtype=np.uint8).astype(np.float64)


def _sizes(n: int, resamples: int) -> list[int]:
    size = max(1, CELLS // n)
    return [min(size, resamples - start) for start in range(0, resamples, size)]
