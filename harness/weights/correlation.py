"""Whether a number goes with measured quality: rank correlation over adapters, within each base and pooled over bases.

Kendall's tau-b and not Spearman's rho. Tau is about pairs of adapters, and choosing is: of those two of which both the
number and the quality differ, the share that both put in the same order is about (1 + tau) / 2. Values within bases add
up by their pairs, ties are part of the formula (a share of layers has many), and on ten adapters one odd one moves it
less.

Bases differ in quality and in every norm, so over the adapters of several bases anything goes with anything: pooled is
the mean of the values within bases, weighted by pairs, and p is of permutations within bases. Adding a base's own
score, or taking it away, changes neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness import stats

Array = NDArray[np.float64]

# Adapters of one base, below which its interval is not worth printing. Over 300 draws of normal pairs with a true tau of
# 0.8, the interval held it in 68 % of them with 5 adapters (all pairs agree: no width), in 90 % with 8, 99 % with 12;
# with true taus of 0 and 0.41 in 94 to 98 %, and pooled over 2 or 4 bases of 6 or 12 in 94 to 99 % for all three.
FEWEST = 8
CELLS = 1 << 22  # of permuted matrices at once, 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An adapter: how good it is, and what is known of it otherwise."""

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
    # All adapters in one heap: confounded by the base, shown so that nobody takes it for a finding.
    heap_score: float
    heap_gain: float | None

    @property
    def shown(self) -> bool:
        """Whether it may be spoken of as more than chance: by p, and by the interval."""
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
    candidates: Sequence[Candidate], names: Sequence[str], *, seed: int = 0
) -> tuple[Correlation, ...]:
    """Each number against the score, the strongest first; without a base that has enough adapters it is not there.

    Enough are `FEWEST`, and neither number nor score may be the same for all of them. No p is corrected yet.
    """
    resamples = stats.resamples_for(len(names))
    found = [_correlation(candidates, name, resamples, seed) for name in names]
    return tuple(sorted((one for one in found if one), key=lambda one: -abs(one.tau)))


def corrected(family: Sequence[Correlation]) -> tuple[Correlation, ...]:
    """Return the correlations with p corrected for their number (Holm 1979)."""
    adjusted = stats.holm([one.p for one in family])
    return tuple(replace(one, p_holm=p) for one, p in zip(family, adjusted, strict=True))


def tau_b(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b (1945): pairs in one order less pairs in opposite ones, over what ties leave of both.

    NaN where all values of one side are equal.
    """
    return _tau(_order(x), _order(y))


def _correlation(candidates: Sequence[Candidate], name: str, resamples: int, seed: int) -> Correlation | None:
    known = [one for one in candidates if name in one.numbers]
    ranks = _ranks(known, name)
    if not ranks:
        return None
    used = {one.base for one in ranks}
    known = [one for one in known if one.base in used]
    weights = np.array([one.pairs for one in ranks], dtype=np.float64)
    taus = np.array([_tau(one.x, one.y) for one in ranks])
    drawn = _each(ranks, _bootstrap, resamples, seed, stream=0)
    chance = _pooled(_each(ranks, _permute, resamples, seed, stream=1), weights)
    tau = float(_pooled(taus[:, None], weights)[0])
    low, high = _interval(_pooled(drawn, weights))
    hits = int((np.abs(chance) >= abs(tau) - stats.TIE).sum())
    numbers = [one.numbers[name] for one in known]
    gains = [one.gain for one in known if one.gain is not None]
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
            Within(base=one.base, tau=float(own), low=ends[0], high=ends[1], n=one.n)
            for one, own, ends in zip(ranks, taus, map(_interval, drawn), strict=True)
        ),
        heap_score=tau_b(numbers, [one.score for one in known]),
        heap_gain=tau_b(numbers, gains) if len(gains) == len(known) else None,
    )


def _ranks(known: Sequence[Candidate], name: str) -> list[_Ranks]:
    """Return the bases with enough adapters to rank, in order of appearance."""
    found = []
    for base in dict.fromkeys(one.base for one in known):
        own = [one for one in known if one.base == base]
        ranks = _Ranks(base, _order([one.numbers[name] for one in own]), _order([one.score for one in own]))
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
    """Draws of every base, each from a stream of its own that all numbers share."""
    return np.array(
        [
            draw(one, resamples, np.random.default_rng((seed, stream, place)))
            for place, one in enumerate(ranks)
        ]
    )


def _bootstrap(ranks: _Ranks, resamples: int, random: np.random.Generator) -> Array:  # [resamples]
    """Tau-b of adapters drawn with replacement; NaN where all drawn are equal.

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
    """Tau-b of the numbers with the scores in another order."""
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
    """Mean over the bases that have one, by weight."""
    there = np.isfinite(taus)
    total = (weights[:, None] * there).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray((weights[:, None] * np.where(there, taus, 0.0)).sum(axis=0) / total)


def _interval(values: Array) -> tuple[float, float]:
    return stats.percentile_interval(values[np.isfinite(values)])
