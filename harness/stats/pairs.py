"""Compare many systems under several metrics, pair by pair, from one draw of resamples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.draws import RESAMPLES, redrawn
from harness.stats.intervals import ENDS, changed_interval
from harness.stats.power import DETECTED
from harness.stats.significance import MCNEMAR, Pair, chances, which_test
from harness.stats.table import TIE, Array, Formula, Interval, Table

# Resampled scores held at once, 128 MB: of 400 systems under four metrics, 10,000 times.
SCORES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Candidate (b) minus baseline (a) on the same samples; arrays [names]."""

    difference: Array
    low: Array  # 95 % interval: paired bootstrap, or Agresti and Min's of hits
    high: Array
    error: Array  # standard error of the difference, as the interval has it
    p: Array  # two-sided
    detectable: Array  # smallest difference found with 80 % power at 5 %, given the spread of the differences
    # Samples that score higher, and lower, by themselves; a metric where less is better swaps the two
    better: NDArray[np.intp]
    worse: NDArray[np.intp]
    test: str  # what p is, in words


def paired(
    rows_a: Array,  # baseline [n, k]
    rows_b: Array,  # candidate [n, k], the same samples in the same order
    value: Formula,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
    interval: Interval = "bootstrap",
) -> Paired:
    """Compare one pair under one metric, as `compare` does many."""
    if np.shape(rows_a) != np.shape(rows_b):
        raise ValueError(
            f"rows of {np.shape(rows_a)} and {np.shape(rows_b)} are not pairs: give the same samples"
        )
    table = Table(rows=np.stack([rows_a, rows_b], axis=1), value=value, interval=interval)
    return compare([table], [(0, 1)], resamples=resamples, seed=seed, clusters=clusters)[0][0]


def compare(
    tables: Sequence[Table],  # for each metric, of the same samples and systems
    pairs: Sequence[Pair],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    clusters: Sequence[int] | None = None,  # n labels; samples of one label are drawn together
) -> list[list[Paired]]:  # [tables][pairs]
    """Return each difference with a paired bootstrap interval (Koehn 2004) and the p of no difference.

    p is approximate randomisation's (Riezler and Maxwell 2005): how often the difference is as large when
    each sample's two answers change sides at random. Rows of hits ("wilson") get the exact McNemar test and the
    interval of Agresti and Min instead, unless clustered: both assume independent samples.
    Raises ValueError for fewer than two samples (or clusters).
    """
    tests = [which_test(table, resamples, seed, clusters) for table in tables]
    units = [table.drawn_by(clusters) for table in tables]
    found: list[list[Paired]] = [[] for _ in tables]
    names = sum(table.scores().shape[1] for table in units)
    for systems, block in _blocks(pairs, SCORES // (resamples * names)) if names else ():
        some = [table.of(systems) for table in units]
        drawn_for = [i for i, test in enumerate(tests) if test != MCNEMAR]
        drawn = dict(zip(drawn_for, redrawn([some[i] for i in drawn_for], resamples, seed), strict=True))
        p = chances(some, block, tests, resamples, seed)
        for i, table in enumerate(some):
            samples = tables[i].of(systems).of_samples()
            found[i] += _results(table.scores(), samples, block, drawn.get(i), p[i], tests[i])
    return found


def _blocks(pairs: Sequence[Pair], most: int) -> Iterator[tuple[list[int], list[Pair]]]:
    """Yield all pairs in order, in blocks of at most `most` systems: the systems, and the pairs' places among them."""
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


def _results(
    scores: Array,  # [systems, names]
    samples: Array,  # [n, systems, names]
    pairs: Sequence[Pair],
    resampled: Array | None,  # [systems, names, resamples]; None: rows of hits need none
    p: Array,  # [pairs, names]
    test: str,
) -> Iterator[Paired]:
    for (a, b), chance in zip(pairs, p, strict=True):
        change = samples[:, b] - samples[:, a]
        better, worse = np.sum(change > TIE, axis=0), np.sum(change < -TIE, axis=0)
        if resampled is None:
            low, high, error = np.array([changed_interval(int(better[0]), int(worse[0]), len(change))]).T
        else:
            spread = resampled[b] - resampled[a]
            spread[np.abs(spread) <= TIE] = 0.0  # equal columns of a matrix product may be rounded apart
            low, high = np.quantile(spread, ENDS, axis=-1)
            error = spread.std(axis=-1, ddof=1)
            error[np.ptp(spread, axis=-1) <= TIE] = (
                0.0  # what is left is rounding, which differs between processes
            )
        yield Paired(
            difference=scores[b] - scores[a],
            low=low,
            high=high,
            error=error,
            p=chance,
            detectable=DETECTED * error,
            better=better,
            worse=worse,
            test=test,
        )
