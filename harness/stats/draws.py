"""Draw resamples: how often each sample is drawn, or which pairs change sides, and the sums that follow.

Resampling is a matrix product of counts (or swaps) with rows of sums; the rows of a statistic are gathered by index
instead, by the same counts. The draw depends only on the number
of samples (or clusters), of resamples and the seed: all metrics, systems and pairs see the same resamples.
The i-th row is given the i-th count, so all systems' rows come in one order of samples. Another order is
another draw: scores, differences and exact tests stay, and resampled numbers move within their noise.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from harness.stats.gathering import redrawn_scores
from harness.stats.table import Array, RowStatistic, Table, Value

RESAMPLES = 10_000  # unless more are asked for

# Counts drawn at once, 4 MB as uint16 and 16 MB as the float64 that they are multiplied as.
CELLS = 1 << 21
# Samples picked at once: half a megabyte of them stays in the processor's cache, and is counted in half the time.
PICKED = 1 << 16
# Resampled totals that are compared at once: few enough to stay in the processor's cache, and enough to hide numpy's
# overhead where a long test set leaves room for only a few resamples in each draw.
GATHERED = 1 << 11


def resampled(
    tables: Sequence[Table],  # for each metric, of the same samples and systems
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,  # n labels; samples of one label are drawn together
) -> list[Array]:
    """Return the scores of samples drawn with replacement, for each table [systems, names, resamples]."""
    return redrawn([table.drawn_by(clusters) for table in tables], resamples, seed)


def redrawn(
    tables: Sequence[Table],  # whose rows are what is drawn
    resamples: int,
    seed: int,
) -> list[Array]:
    """Return the scores of redrawn rows, for each table [systems, names, resamples]."""
    if not tables:
        return []
    found = [np.empty((*table.scores().shape, resamples)) for table in tables]
    summed = [i for i, table in enumerate(tables) if not isinstance(table.value, RowStatistic)]
    if summed:
        for some, moved in totals(counts(tables[0].units, resamples, seed), [tables[i] for i in summed]):
            for i, scores in zip(summed, moved, strict=True):
                found[i][..., some] = np.moveaxis(of_totals(tables[i])(scores), 1, -1)
    for i in set(range(len(tables))).difference(summed):
        start = 0
        for drawn in counts(tables[0].units, resamples, seed):
            found[i][..., start : start + len(drawn)] = redrawn_scores(tables[i], drawn)
            start += len(drawn)
    return found


def of_totals(table: Table) -> Value:
    """Return the function of totals of a table that is no statistic's."""
    assert not isinstance(table.value, RowStatistic)
    return table.value


def totals(
    draws: Iterator[Array], tables: Sequence[Table]
) -> Iterator[tuple[slice, list[Array]]]:  # which resamples; of each table [systems, resamples, k]
    """Yield sums of rows, each row as often as it was drawn; resamples lie next to each other in memory."""
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


def counts(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each of n units is drawn, in chunks [some resamples, n]."""
    for chunk, size in enumerate(_sizes(n, resamples)):
        yield _drawn(n, size, seed, chunk).astype(np.float64)


@lru_cache(maxsize=16)  # 64 MB at most: the same draw serves every system and metric of a table
def _drawn(n: int, size: int, seed: int, chunk: int) -> NDArray[np.uint16]:
    random = np.random.default_rng((seed, 0, chunk))
    drawn = np.empty((size, n), np.uint16)
    at_once = max(1, PICKED // n)
    places = n * np.arange(at_once)[:, None]
    for start in range(0, size, at_once):
        some = min(at_once, size - start)
        picked = random.integers(0, n, size=(some, n))
        picked += places[:some]
        drawn[start : start + some] = np.bincount(picked.ravel(), minlength=some * n).reshape(some, n)
    drawn.flags.writeable = False
    return drawn


def swaps(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield which of n pairs change sides (1) or stay (0), in chunks [some resamples, n], from a stream of its own."""
    for chunk, size in enumerate(_sizes(n, resamples)):
        random = np.random.default_rng((seed, 1, chunk))
        yield random.integers(0, 2, size=(size, n), dtype=np.uint8).astype(np.float64)


def _sizes(n: int, resamples: int) -> list[int]:
    size = max(1, CELLS // n)
    return [min(size, resamples - start) for start in range(0, resamples, size)]
