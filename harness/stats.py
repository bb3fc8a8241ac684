"""Which differences are real: bootstrap, approximate randomisation, exact McNemar, Wilson, Holm.

All resampling is a matrix product of counts (or swaps) with rows of sums. The draw depends only on the number
of samples (or clusters), of resamples and the seed: all metrics, systems and pairs see the same resamples.
The i-th row is given the i-th count, so all systems' rows come in one order of samples. Another order is
another draw: scores, differences and exact tests stay, and resampled numbers move within their noise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Value = Callable[[Array], Array]  # totals [..., k] -> scores [..., names]
Interval = Literal["bootstrap", "wilson"]  # "wilson": rows are (hit, 1)
Pair = tuple[int, int]  # positions of baseline and candidate among the systems

Z_95 = 1.959963984540054  # standard normal quantiles: 97.5 %, for a two-sided interval of 95 %,
Z_80 = 0.8416212335729143  # and 80 %, for power

# Two differences on the scale 0 to 100 closer than this are a tie: rounding alone makes them differ.
TIE = 1e-9

# Counts drawn at once, 4 MB as uint16 and 16 MB as the float64 that they are multiplied as.
CELLS = 1 << 21
# Resampled totals that pairs look at together: few enough to stay in the processor's cache, and enough that
# numpy's overhead does not show where a long test set leaves room for a few resamples a draw.
GATHERED = 1 << 11
# Resampled scores held at once, 128 MB: of 400 systems under four metrics, 10,000 times.
SCORES = 1 << 24

RESAMPLES = 10_000  # unless more are asked for
MCNEMAR = "exact McNemar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What each system scored under one metric, on the same samples in the same order."""

    rows: Array  # [n, systems, k]
    value: Value
    interval: Interval = "bootstrap"

    def scores(self) -> Array:  # [systems, names]
        return self.value(self.rows.sum(axis=0))

    def of(self, systems: list[int]) -> "Table":
        """Those systems alone; all of them in order are no copy."""
        same = systems == list(range(self.rows.shape[1]))
        return self if same else replace(self, rows=self.rows[:, systems])


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
    resamples: int = RESAMPLES,
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
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
    interval: Interval = "bootstrap",
) -> Paired:
    """One pair under one metric, as `compare` does many."""
    if np.shape(rows_a) != np.shape(rows_b):
        raise ValueError(
            f"rows of {np.shape(rows_a)} and {np.shape(rows_b)} are not pairs: give the same samples"
        )
    table = Table(rows=np.stack([rows_a, rows_b], axis=1), value=value, interval=interval)
    return compare([table], [(0, 1)], resamples=resamples, seed=seed, clusters=clusters)[0][0]


def compare(
    tables: Sequence[Table],  # one a metric, of the same samples and systems
    pairs: Sequence[Pair],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,  # n labels; samples of one label are drawn together
) -> list[list[Paired]]:  # [tables][pairs]
    """Each difference with a paired bootstrap interval (Koehn 2004) and the p of no difference.

    p is approximate randomisation's (Riezler and Maxwell 2005): how often the difference is as large when
    each sample's two answers change sides at random. Rows of hits ("wilson") get the exact McNemar test instead,
    unless clustered: it takes samples for independent.
    Fewer than two samples (or clusters): ValueError.
    """
    tests = [_test(table, resamples, seed, clusters) for table in tables]
    units = [replace(table, rows=_units(table.rows, clusters)) for table in tables]
    found: list[list[Paired]] = [[] for _ in tables]
    names = sum(table.scores().shape[1] for table in units)
    for systems, block in _blocks(pairs, SCORES // (resamples * names)) if names else ():
        some = [table.of(systems) for table in units]
        resampled = _resampled(some, resamples, seed)
        p = _chances(some, block, tests, resamples, seed)
        for i, table in enumerate(some):
            found[i] += _results(table, block, resampled[i], p[i], tests[i])
    return found


def chance(
    table: Table,
    pairs: Sequence[Pair],
    *,
    resamples: int,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
) -> tuple[Array, str]:  # [pairs, names], and the test in words
    """The p alone, as `compare` has it: without intervals, more resamples cost half as much."""
    test = _test(table, resamples, seed, clusters)
    units = replace(table, rows=_units(table.rows, clusters))
    return _chances([units], pairs, [test], resamples, seed)[0], test


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
    return max(RESAMPLES, 400 * family_size)


def _test(table: Table, resamples: int, seed: int, clusters: Sequence[int] | None) -> str:
    if table.interval == "wilson" and clusters is None:
        return MCNEMAR
    return f"approximate randomisation, {resamples} resamples, seed {seed}"


def _blocks(pairs: Sequence[Pair], most: int) -> Iterator[tuple[list[int], list[Pair]]]:
    """All pairs in order, as many at a time as have at most `most` systems: these, and the pairs' places in them."""
    block: list[Pair] = []
    systems: set[int] = set()
    for pair in [*pairs, None]:
        if block and (pair is None or len(systems.union(pair)) > most):
            used = sorted(systems)
            yield used, [(used.index(a), used.index(b)) for a, b in block]
            block, systems = [], set()
        if pair is not None:
            block.append(pair)
            systems.update(pair)


def _resampled(tables: Sequence[Table], resamples: int, seed: int) -> list[Array]:
    """Scores of samples drawn with replacement: of each table [systems, names, resamples]."""
    found = [np.empty((*table.scores().shape, resamples)) for table in tables]
    for some, totals in _totals(_counts(len(tables[0].rows), resamples, seed), tables):
        for table, total, scores in zip(tables, totals, found, strict=True):
            scores[..., some] = np.moveaxis(table.value(total), 1, -1)
    return found


def _chances(
    tables: Sequence[Table], pairs: Sequence[Pair], tests: Sequence[str], resamples: int, seed: int
) -> list[Array]:
    """p: of each table [pairs, names]."""
    drawn = [i for i, test in enumerate(tests) if test != MCNEMAR]
    found = dict(zip(drawn, _randomisation([tables[i] for i in drawn], pairs, resamples, seed), strict=True))
    return [found[i] if i in found else _sign_tests(table, pairs) for i, table in enumerate(tables)]


def _sign_tests(table: Table, pairs: Sequence[Pair]) -> Array:
    hits = table.rows[..., 0]
    return np.array([[mcnemar(hits[:, baseline], hits[:, candidate])] for baseline, candidate in pairs])


def _randomisation(tables: Sequence[Table], pairs: Sequence[Pair], resamples: int, seed: int) -> list[Array]:
    if not tables:
        return []
    totals = [table.rows.sum(axis=0)[:, None] for table in tables]  # [systems, 1, k]
    scores = [table.scores() for table in tables]
    observed = [np.array([np.abs(score[b] - score[a]) for a, b in pairs]) for score in scores]
    hits = [np.zeros_like(gaps) for gaps in observed]
    for _, moved in _totals(_swaps(len(tables[0].rows), resamples, seed), tables):
        for table, total, gone, gaps, hit in zip(tables, totals, moved, observed, hits, strict=True):
            stayed = total - gone
            for place, (a, b) in enumerate(pairs):
                shuffled = np.abs(table.value(stayed[b] + gone[a]) - table.value(stayed[a] + gone[b]))
                hit[place] += (shuffled >= gaps[place] - TIE).sum(axis=0)
    return [(1 + hit) / (1 + resamples) for hit in hits]


def _totals(
    draws: Iterator[Array], tables: Sequence[Table]
) -> Iterator[tuple[slice, list[Array]]]:  # which resamples; of each table [systems, resamples, k]
    """Sums of rows, each as often as drawn. Resamples are neighbours in memory: `value` takes them in long runs."""
    n = len(tables[0].rows)
    sides = [table.rows.reshape(n, -1).T for table in tables]
    products = ([side @ drawn.T for side in sides] for drawn in draws)
    start = 0
    while parts := list(islice(products, -(-GATHERED // max(1, CELLS // n)))):
        sums = [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]
        some = slice(start, start + sums[0].shape[1])
        yield (
            some,
            [
                np.moveaxis(total.reshape(*table.rows.shape[1:], -1), 1, -1)
                for table, total in zip(tables, sums, strict=True)
            ],
        )
        start = some.stop


def _results(
    table: Table,
    pairs: Sequence[Pair],
    resampled: Array,  # [systems, names, resamples]
    p: Array,  # [pairs, names]
    test: str,
) -> Iterator[Paired]:
    scores = table.scores()
    for (a, b), chance in zip(pairs, p, strict=True):
        spread = resampled[b] - resampled[a]
        low, high = np.percentile(spread, (2.5, 97.5), axis=-1)
        yield Paired(
            difference=scores[b] - scores[a],
            low=low,
            high=high,
            p=chance,
            detectable=(Z_95 + Z_80) * spread.std(axis=-1, ddof=1),
            test=test,
        )


def _units(rows: Array, clusters: Sequence[int] | None) -> Array:
    """What is drawn: samples, or the sums of clusters in the order of their labels."""
    rows = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(rows).all():
        sound = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        raise ValueError(f"row {int(np.argmin(sound))} holds a number that is not finite")
    if clusters is not None:
        if len(clusters) != len(rows):
            raise ValueError(f"{len(clusters)} cluster labels for {len(rows)} samples")
        labels, which = np.unique(np.asarray(clusters), return_inverse=True)
        summed = np.zeros((len(labels), *rows.shape[1:]))
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
