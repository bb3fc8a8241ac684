"""Whether a number goes with measured quality: rank correlation over adapters, within each base and pooled over bases.

Kendall's tau-b and not Spearman's rho. Tau is about pairs of adapters, and choosing is: of those two of which both the
number and the quality differ, the share that both put in the same order is about (1 + tau) / 2. Values within bases add
up by their pairs, ties are part of the formula (a share of layers has many), and among ten adapters an outlier moves
it less.

Bases differ in quality and in every norm, so over the adapters of several bases anything goes with anything: pooled is
the mean of the values within bases, weighted by pairs, and p is of permutations within bases. Adding a base's own
score, or subtracting it, changes neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness import stats

Array = NDArray[np.float64]

# Adapters of one base, below which its interval is not worth printing. Over 300 draws of normal pairs with a true tau of
# 0.8, the interval contained it in 68 % of them with 5 adapters (all pairs agree: no width), in 90 % with 8, 99 % with 12;
# with true taus of 0 and 0.41 in 94 to 98 %, and pooled over 2 or 4 bases of 6 or 12 in 94 to 99 % for all three.
FEWEST = 8
CELLS = 1 << 22  # of permuted matrices at once, 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredAdapter:
    """An adapter with its measured score, and the numbers that may go with it."""

    adapter: str
    base: str  # the stratum: adapters of one base are ranked among each other
    score: float  # measured; the higher the better
    gain: float | None  # over its base
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """How a number ranks the adapters of one base."""

    base: str
    tau: float  # −1 … 1
    low: float  # 95 % interval, bootstrap over adapters
    high: float
    n: int  # adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How a number ranks adapters: pooled over bases, and in each."""

    name: str
    tau: float  # mean of those within bases, by pairs
    low: float  # 95 % interval, bootstrap over adapters within bases
    high: float
    p: float  # two-sided, permutations within bases
    p_holm: float | None  # None: outside every family
    detectable: float  # smallest tau found with 80 % power at 5 %, before any correction
    n: int  # adapters
    within: tuple[Within, ...]
    # All adapters together, whatever their base: confounded by the base. It is shown so that nobody takes it for a finding.
    unstratified_score: float
    unstratified_gain: float | None

    @property
    def shown(self) -> bool:
        """Return whether p and the interval both say that this is more than chance."""
        return self.p_holm is not None and self.p_holm < 0.05 and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class _Ranks:
    """The adapters of one base: which of each two has the larger number, and which the larger score."""

    base: str
    x: Array  # [n, n], −1, 0 or 1
    y: Array

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def pairs(self) -> int:
        return self.n * (self.n - 1) // 2


def correlate(
    candidates: Sequence[MeasuredAdapter], names: Sequence[str], *, seed: int = 0
) -> tuple[Correlation, ...]:
    """Return the correlation of each number with the score, the strongest first.

    A number is left out where no base has enough adapters: `FEWEST`, among which neither the number nor the score is
    the same for all. No p is corrected yet.
    """
    resamples = stats.resamples_for(len(names))
    found = [_correlation(candidates, name, resamples, seed) for name in names]
    return tuple(sorted(filter(None, found), key=lambda correlation: -abs(correlation.tau)))


def corrected(family: Sequence[Correlation]) -> tuple[Correlation, ...]:
    """Return the correlations with p corrected for their number (Holm 1979)."""
    adjusted = stats.holm([correlation.p for correlation in family])
    return tuple(replace(correlation, p_holm=p) for correlation, p in zip(family, adjusted, strict=True))


def tau_b(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Kendall's tau-b (1945): concordant minus discordant pairs, over the geometric mean of the untied pairs.

    NaN where all values of one side are equal.
    """
    return _tau(_order(x), _order(y))


def _correlation(
    candidates: Sequence[MeasuredAdapter], name: str, resamples: int, seed: int
) -> Correlation | None:
    known = [adapter for adapter in candidates if name in adapter.numbers]
    ranks = _ranks(known, name)
    if not ranks:
        return None
    used = {base.base for base in ranks}
    known = [adapter for adapter in known if adapter.base in used]
    weights = np.array([base.pairs for base in ranks], dtype=np.float64)
    taus = np.array([_tau(base.x, base.y) for base in ranks])
    drawn = _each(ranks, _bootstrap, resamples, seed, stream=0)
    chance = _pooled(_each(ranks, _permute, resamples, seed, stream=1), weights)
    tau = float(_pooled(taus[:, None], weights)[0])
    low, high = _interval(_pooled(drawn, weights))
    hits = int((np.abs(chance) >= abs(tau) - stats.TIE).sum())
    numbers = [adapter.numbers[name] for adapter in known]
    gains = [adapter.gain for adapter in known if adapter.gain is not None]
    return Correlation(
        name=name,
        tau=tau,
        low=low,
        high=high,
        p=(1 + hits) / (1 + resamples),
        p_holm=None,
        detectable=float(stats.DETECTED * chance.std()),
        n=len(known),
        within=tuple(
            Within(base=base.base, tau=float(own), low=ends[0], high=ends[1], n=base.n)
            for base, own, ends in zip(ranks, taus, map(_interval, drawn), strict=True)
        ),
        unstratified_score=tau_b(numbers, [adapter.score for adapter in known]),
        unstratified_gain=tau_b(numbers, gains) if len(gains) == len(known) else None,
    )


def _ranks(known: Sequence[MeasuredAdapter], name: str) -> list[_Ranks]:
    """Return the bases with enough adapters to rank, in order of appearance."""
    found = []
    for base in dict.fromkeys(adapter.base for adapter in known):
        own = [adapter for adapter in known if adapter.base == base]
        numbers, scores = [adapter.numbers[name] for adapter in own], [adapter.score for adapter in own]
        ranks = _Ranks(base, _order(numbers), _order(scores))
        if ranks.n >= FEWEST and ranks.x.any() and ranks.y.any():
            found.append(ranks)
    return found


def _order(values: Sequence[float]) -> Array:  # [n, n]
    column = np.asarray(values, dtype=np.float64)
    return np.sign(column[:, None] - column)


def _tau(x: Array, y: Array) -> float:
    untied = np.abs(x).sum() * np.abs(y).sum()
    return float((x * y).sum() / np.sqrt(untied)) if untied else float("nan")


def _each(
    ranks: Sequence[_Ranks],
    draw: Callable[[_Ranks, int, np.random.Generator], Array],
    resamples: int,
    seed: int,
    stream: int,
) -> Array:  # [bases, resamples]
    """Return the draws of every base. Each base has its own random stream, the same for all numbers."""
    return np.array(
        [
            draw(base, resamples, np.random.default_rng((seed, stream, place)))
            for place, base in enumerate(ranks)
        ]
    )


def _bootstrap(ranks: _Ranks, resamples: int, random: np.random.Generator) -> Array:  # [resamples]
    """Return tau-b of adapters drawn with replacement; NaN where all drawn are equal.

    An adapter that is drawn twice ties with itself on both sides, which tau-b leaves out: sums over pairs are
    quadratic forms of how often each was drawn.
    """
    counts = random.multinomial(ranks.n, np.full(ranks.n, 1 / ranks.n), size=resamples).astype(np.float64)

    def pairs(signs: Array) -> Array:
        return np.asarray(((counts @ signs) * counts).sum(axis=1))

    untied = pairs(np.abs(ranks.x)) * pairs(np.abs(ranks.y))
    with np.errstate(invalid="ignore"):
        return pairs(ranks.x * ranks.y) / np.sqrt(untied)


def _permute(ranks: _Ranks, resamples: int, random: np.random.Generator) -> Array:  # [resamples]
    """Return tau-b of the numbers with the scores in random order."""
    untied = np.sqrt(np.abs(ranks.x).sum() * np.abs(ranks.y).sum())
    size = max(1, CELLS // ranks.n**2)
    found = []
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        orders = random.permuted(np.tile(np.arange(ranks.n), (rows, 1)), axis=1)
        moved = ranks.y[orders[:, :, None], orders[:, None, :]]
        found.append(moved.reshape(rows, -1) @ ranks.x.ravel() / untied)
    return np.concatenate(found)


def _pooled(
    taus: Array,  # [bases, resamples], NaN where there is none
    weights: Array,  # [bases]
) -> Array:  # [resamples]
    """Return the weighted mean over the bases that have a tau."""
    there = np.isfinite(taus)
    total = (weights[:, None] * there).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights[:, None] * np.where(there, taus, 0.0)).sum(axis=0) / total)


def _interval(values: Array) -> tuple[float, float]:
    return stats.percentile_interval(values[np.isfinite(values)])
