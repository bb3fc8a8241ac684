"""Test for no difference: approximate randomisation, and the exact McNemar test for rows of hits."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.stats.draws import of_totals, swaps, totals
from harness.stats.gathering import swapped_gaps
from harness.stats.table import TIE, Array, RowStatistic, Table

Pair = tuple[int, int]  # positions of baseline and candidate among the systems

MCNEMAR = "exact McNemar"


def chance(
    table: Table,
    pairs: Sequence[Pair],
    *,
    resamples: int,
    seed: int = 0,
    clusters: Sequence[int] | None = None,
) -> tuple[Array, str]:  # [pairs, names], and the test in words
    """Return the p-values of `compare` without its intervals, at half the cost for each resample."""
    test = which_test(table, resamples, seed, clusters)
    return chances([table.drawn_by(clusters)], pairs, [test], resamples, seed)[0], test


def mcnemar(
    hits_a: Array,  # [n], 0 or 1
    hits_b: Array,  # [n]
) -> float:
    """Return the exact two-sided p of equal hits won and lost (McNemar 1947): a sign test on samples that changed."""
    won, lost = int(np.sum(hits_b > hits_a)), int(np.sum(hits_b < hits_a))
    changed, fewer = won + lost, min(won, lost)
    ways = tail = 1  # number of ways in which k of the `changed` samples lie on one side; at first k = 0
    for k in range(fewer):
        ways = ways * (changed - k) // (k + 1)
        tail += ways
    return float(min(1.0, 2 * tail / 2**changed))


def which_test(table: Table, resamples: int, seed: int, clusters: Sequence[int] | None) -> str:
    """Return the test for a table's rows, in words; McNemar's assumes independent samples, so clusters exclude it."""
    if table.interval == "wilson" and clusters is None:
        return MCNEMAR
    return f"approximate randomisation, {resamples} resamples, seed {seed}"


def chances(
    tables: Sequence[Table], pairs: Sequence[Pair], tests: Sequence[str], resamples: int, seed: int
) -> list[Array]:
    """Return the p-values, for each table [pairs, names]."""
    drawn = [i for i, test in enumerate(tests) if test != MCNEMAR]
    found = dict(zip(drawn, _randomisation([tables[i] for i in drawn], pairs, resamples, seed), strict=True))
    return [found[i] if i in found else _sign_tests(table, pairs) for i, table in enumerate(tables)]


def _sign_tests(table: Table, pairs: Sequence[Pair]) -> Array:
    hits = table.rows[..., 0]
    return np.array([[mcnemar(hits[:, baseline], hits[:, candidate])] for baseline, candidate in pairs])


def _randomisation(tables: Sequence[Table], pairs: Sequence[Pair], resamples: int, seed: int) -> list[Array]:
    scores = [table.scores() for table in tables]
    observed = [np.array([np.abs(score[b] - score[a]) for a, b in pairs]) for score in scores]
    hits = [np.zeros_like(gaps) for gaps in observed]
    summed = [i for i, table in enumerate(tables) if not isinstance(table.value, RowStatistic)]
    if summed:
        _count_summed(
            [tables[i] for i in summed],
            pairs,
            [(observed[i], hits[i]) for i in summed],
            swaps(tables[0].units, resamples, seed),
        )
    for i in set(range(len(tables))).difference(summed):
        for moved in swaps(tables[i].units, resamples, seed):
            for place, pair in enumerate(pairs):
                shuffled = swapped_gaps(tables[i], pair, moved)
                hits[i][place] += (shuffled >= observed[i][place] - TIE).sum(axis=0)
    return [(1 + hit) / (1 + resamples) for hit in hits]


def _count_summed(
    tables: Sequence[Table],
    pairs: Sequence[Pair],
    counted: Sequence[
        tuple[Array, Array]
    ],  # of each table [pairs, names]: the differences, and the counts to add to
    draws: Iterator[Array],
) -> None:
    """Count how often the difference is as large as observed when rows of sums change sides."""
    sums = [table.rows.sum(axis=0)[:, None] for table in tables]  # [systems, 1, k]
    for _, moved in totals(draws, tables):
        for table, total, gone, (gaps, hit) in zip(tables, sums, moved, counted, strict=True):
            value, stayed = of_totals(table), total - gone
            for place, (a, b) in enumerate(pairs):
                shuffled = np.abs(value(stayed[b] + gone[a]) - value(stayed[a] + gone[b]))
                hit[place] += (shuffled >= gaps[place] - TIE).sum(axis=0)
