import subprocess
import sys
import tracemalloc
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats
from harness.metrics import bleu
from harness.stats.pairs import _blocks


def mean(total):
    """Rows (x, 1): the mean."""
    return 100 * total[..., :-1] / total[..., -1:]


def rows(*values):
    """[n, k + 1] of k measurements and the count of samples."""
    return np.column_stack([*values, np.ones(len(values[0]))]).astype(float)


def normal(seed, n, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, n)


# Bootstrap.


def test_a_resample_is_the_score_of_a_redrawn_corpus():
    """Every resampled mean of {0, 1, 4} is one that three draws can give, about as often as it should be."""
    found = stats.bootstrap(rows([0, 1, 4]), mean, resamples=20_000)[:, 0] * 3 / 100
    sums, times = np.unique(np.round(found).astype(int), return_counts=True)
    ways: dict[int, int] = {}
    for a in (0, 1, 4):
        for b in (0, 1, 4):
            for c in (0, 1, 4):
                ways[a + b + c] = ways.get(a + b + c, 0) + 1
    assert sums.tolist() == sorted(ways)
    expected = np.array([ways[int(s)] for s in sums]) / 27
    assert np.all(np.abs(times / 20_000 - expected) < 4 * np.sqrt(expected / 20_000))


def test_the_draw_depends_on_n_resamples_and_seed_alone():
    x = normal(0, 300)
    alone = stats.bootstrap(rows(x), mean, resamples=500, seed=3)
    np.testing.assert_allclose(stats.bootstrap(rows(x, -x), mean, resamples=500, seed=3)[:, :1], alone)
    np.testing.assert_array_equal(stats.bootstrap(rows(x), mean, resamples=500, seed=3), alone)
    assert not np.allclose(stats.bootstrap(rows(x), mean, resamples=500, seed=4), alone)


def test_chunks_do_not_show():
    """Past one chunk the resamples go on, new ones, as many as were asked for."""
    n = 3000
    size = stats.CELLS // n
    found = stats.bootstrap(rows(normal(0, n)), mean, resamples=2 * size + 7)[:, 0]
    assert len(np.unique(found)) == len(found) == 2 * size + 7


def test_constant_rows_have_no_width():
    constant = rows(np.full(50, 0.3))
    np.testing.assert_allclose(stats.bootstrap(constant, mean, resamples=100), 30)
    result = stats.paired(constant, constant + rows([0.1]) - rows([0.0]), mean, resamples=200)
    np.testing.assert_allclose([result.difference, result.low, result.high], 10)
    assert result.p[0] == pytest.approx(1 / 201)
    assert result.detectable[0] == 0  # not the rounding of a matrix product, which differs between processes


@pytest.mark.slow
def test_the_interval_covers_the_truth_as_often_as_it_says():
    trials, n = 600, 150
    covered = 0
    for trial in range(trials):
        low, high = stats.percentile_interval(
            stats.bootstrap(rows(normal(trial, n)), mean, resamples=1000, seed=trial)[:, 0]
        )
        covered += low <= 0 <= high
    assert abs(covered / trials - 0.95) < 3 * (0.95 * 0.05 / trials) ** 0.5


def test_the_bootstrap_spread_of_a_mean_is_its_standard_error():
    x = normal(1, 400)
    spread = stats.bootstrap(rows(x), mean)[:, 0].std() / 100
    assert spread == pytest.approx(x.std() / 20, rel=0.03)


def test_clusters_are_drawn_whole():
    """Ten copies of each sample tell no more than one."""
    x = normal(2, 40)
    once = stats.bootstrap(rows(x), mean, resamples=2000)
    labels = np.repeat(np.arange(40), 10)
    copied = stats.bootstrap(rows(np.repeat(x, 10)), mean, resamples=2000, clusters=labels.tolist())
    np.testing.assert_allclose(copied, once)
    shuffle = np.random.default_rng(0).permutation(400)
    mixed = stats.bootstrap(
        rows(np.repeat(x, 10)[shuffle]), mean, resamples=2000, clusters=labels[shuffle].tolist()
    )
    np.testing.assert_allclose(mixed, once)


def test_a_cluster_for_every_sample_changes_nothing():
    a, b = rows(normal(3, 60)), rows(normal(4, 60))
    free, own = (stats.paired(a, b, mean, resamples=500, clusters=c) for c in (None, range(60)))
    for field in ("difference", "low", "high", "p", "detectable"):
        np.testing.assert_array_equal(getattr(free, field), getattr(own, field))


# Pairs.


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(0, 1000), st.booleans())
def test_swapping_the_two_negates_everything_but_p(n, seed, clustered):
    a, b = rows(normal(seed, n)), rows(normal(seed + 1, n, 0.3))
    clusters = [i // 2 for i in range(n)] if clustered and n > 3 else None
    there = stats.paired(a, b, mean, resamples=400, seed=seed, clusters=clusters)
    back = stats.paired(b, a, mean, resamples=400, seed=seed, clusters=clusters)
    np.testing.assert_allclose(there.difference, -back.difference, atol=1e-9)
    np.testing.assert_allclose(there.low, -back.high, atol=1e-9)
    np.testing.assert_allclose(there.high, -back.low, atol=1e-9)
    np.testing.assert_allclose(there.p, back.p)
    np.testing.assert_allclose(there.detectable, back.detectable)


def test_identical_systems_differ_by_nothing():
    a = rows(normal(5, 80), normal(6, 80))
    result = stats.paired(a, a.copy(), mean, resamples=300)
    assert result.difference.tolist() == result.low.tolist() == result.high.tolist() == [0, 0]
    assert result.p.tolist() == [1, 1]
    assert result.detectable.tolist() == [0, 0]


def test_what_rounding_alone_moves_is_no_difference():
    """Some CPUs add up two equal columns of a matrix in two orders: the sums differ in their last digit."""
    a = rows(normal(5, 80), normal(6, 80))
    result = stats.paired(a, a * (1 + 2**-50), mean, resamples=300)
    assert result.low.tolist() == result.high.tolist() == result.error.tolist() == [0, 0]
    assert result.p.tolist() == [1, 1]
    assert result.detectable.tolist() == [0, 0]


def test_the_order_of_samples_moves_only_resampled_numbers_and_those_within_noise():
    a, b = rows(normal(7, 200)), rows(normal(8, 200, 0.15))
    order = np.random.default_rng(0).permutation(200)
    here, there = stats.paired(a, b, mean), stats.paired(a[order], b[order], mean)
    np.testing.assert_allclose(here.difference, there.difference)
    np.testing.assert_allclose([here.low, here.high], [there.low, there.high], atol=0.8)
    noise = (here.p[0] * (1 - here.p[0]) / 10_000) ** 0.5
    assert abs(here.p[0] - there.p[0]) < 5 * noise


def test_randomisation_finds_the_exact_p_of_a_small_case():
    """All 2^8 swaps of eight pairs, by hand."""
    gap = np.array([3.0, 1, -1, 2, 2, 4, -0.5, 1])
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    exact = np.mean(np.abs(signs @ gap) >= abs(gap.sum()) - 1e-9)
    found = stats.paired(rows(np.zeros(8)), rows(gap), mean, resamples=40_000).p[0]
    assert abs(found - exact) < 4 * (exact * (1 - exact) / 40_000) ** 0.5


def test_p_is_even_without_a_difference_and_small_with_one():
    null = [
        stats.paired(rows(normal(s, 60)), rows(normal(s + 5000, 60)), mean, resamples=400, seed=s).p[0]
        for s in range(400)
    ]
    assert abs(np.mean(np.array(null) < 0.05) - 0.05) < 3 * (0.05 * 0.95 / 400) ** 0.5
    assert np.mean(null) == pytest.approx(0.5, abs=3 * (1 / 12 / 400) ** 0.5)
    assert stats.paired(rows(normal(1, 60)), rows(normal(1, 60) + 0.5), mean).p[0] == pytest.approx(
        1 / 10_001
    )


def test_the_detectable_difference_is_found_four_times_in_five():
    n, trials = 100, 300
    shift = 2.801585 * 2**0.5 / n**0.5  # of two independent normals, where their spread is known
    found, detectable = 0, []
    for s in range(trials):
        result = stats.paired(
            rows(normal(s, n)), rows(normal(s + 9000, n, shift)), mean, resamples=600, seed=s
        )
        found += result.p[0] < 0.05
        detectable.append(result.detectable[0] / 100)
    assert np.mean(detectable) == pytest.approx(shift, rel=0.03)
    assert abs(found / trials - 0.8) < 3 * (0.8 * 0.2 / trials) ** 0.5


def test_pairs_of_a_ratio_of_sums():
    """A metric that is no mean: both totals change when a pair changes sides."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 9, (2, 30, 2)).astype(float)

    def ratio(total):
        return 100 * total[..., :1] / total[..., 1:]

    swaps = rng.integers(0, 2, (4000, 30)).astype(bool)[:, :, None]
    by_hand = ratio(np.where(swaps, a, b).sum(axis=1)) - ratio(np.where(swaps, b, a).sum(axis=1))
    observed = ratio(b.sum(axis=0)) - ratio(a.sum(axis=0))
    expected = np.mean(np.abs(by_hand) >= np.abs(observed))
    assert stats.paired(a, b, ratio).p[0] == pytest.approx(expected, abs=0.04)


# Many pairs at once.


def pair_by_pair(a, b, value, *, resamples, seed, clusters=None, interval="bootstrap"):
    """One pair under one metric, drawn and resampled for itself: (difference, low, high, p, detectable)."""
    exact = interval == "wilson" and clusters is None
    hits = a[:, 0], b[:, 0]
    if clusters is not None:
        labels = np.unique(clusters)
        a, b = (
            np.array([one[np.array(clusters) == label].sum(axis=0) for label in labels]) for one in (a, b)
        )
    n = len(a)
    observed = value(b.sum(axis=0)) - value(a.sum(axis=0))
    spread, larger = [], np.zeros(observed.shape)
    size = max(1, stats.CELLS // n)
    for chunk, start in enumerate(range(0, resamples, size)):
        draws = (min(size, resamples - start), n)
        picked = np.random.default_rng((seed, 0, chunk)).integers(0, n, size=draws)
        counts = np.stack([np.bincount(one, minlength=n) for one in picked]).astype(float)
        spread.append(value(counts @ b) - value(counts @ a))
        swaps = (
            np.random.default_rng((seed, 1, chunk)).integers(0, 2, size=draws, dtype=np.uint8).astype(float)
        )
        moved = swaps @ (b - a)
        shuffled = value(b.sum(axis=0) - moved) - value(a.sum(axis=0) + moved)
        larger += (np.abs(shuffled) >= np.abs(observed) - stats.TIE).sum(axis=0)
    differences = np.concatenate(spread)
    if exact:
        won, lost = (int(np.sum(one > other)) for one, other in (hits[::-1], hits))
        low, high, error = stats.changed_interval(won, lost, n)
        return observed, low, high, np.array([stats.mcnemar(*hits)]), (stats.Z_95 + stats.Z_80) * error
    low, high = np.percentile(differences, (2.5, 97.5), axis=0)
    p = (1 + larger) / (1 + resamples)
    return observed, low, high, p, (stats.Z_95 + stats.Z_80) * differences.std(axis=0, ddof=1)


def scored(seed, n, systems):
    """Three metrics' tables: four means, BLEU (no mean, of whole numbers), and hits."""
    rng = np.random.default_rng(seed)
    ease = rng.beta(2, 3, (n, 1, 1))
    means = np.clip(ease + rng.normal(np.linspace(0, 0.05, systems)[:, None], 0.2, (n, systems, 4)), 0, 1)
    words = rng.integers(1, 12, (n, systems, 1))
    possible = np.maximum(words - np.arange(4), 0)
    correct = rng.binomial(possible, [0.6, 0.4, 0.2, 0.1])
    hits = (rng.random((n, systems, 1)) < ease).astype(float)
    ones = np.ones((n, systems, 1))
    return [
        stats.Table(rows=np.concatenate([means, ones], axis=-1), value=mean),
        stats.Table(
            rows=np.concatenate([correct, possible, words, rng.integers(1, 12, words.shape)], axis=-1),
            value=bleu.value,
        ),
        stats.Table(rows=np.concatenate([hits, ones], axis=-1), value=mean, interval="wilson"),
    ]


def assert_pairs_are_as_alone(tables, pairs, **settings):
    for table, found in zip(tables, stats.compare(tables, pairs, **settings), strict=True):
        for (a, b), one in zip(pairs, found, strict=True):
            difference, low, high, p, detectable = pair_by_pair(
                table.rows[:, a], table.rows[:, b], table.value, interval=table.interval, **settings
            )
            np.testing.assert_array_equal(one.difference, difference)
            np.testing.assert_array_equal(one.p, p)
            np.testing.assert_allclose(one.low, low, rtol=0, atol=1e-12)
            np.testing.assert_allclose(one.high, high, rtol=0, atol=1e-12)
            np.testing.assert_allclose(one.detectable, detectable, rtol=0, atol=1e-12)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(2, 80), st.integers(2, 6), st.integers(0, 1000), st.booleans())
def test_pairs_compared_together_are_as_alone(n, systems, seed, clustered):
    """Differences and p are equal; the rest is, but for the order of additions."""
    clusters = [i // 2 for i in range(n)] if clustered and n > 3 else None
    pairs = [(a, b) for a in range(systems) for b in range(systems) if a != b][seed % 3 :: 2] or [(1, 0)]
    assert_pairs_are_as_alone(scored(seed, n, systems), pairs, resamples=300, seed=seed, clusters=clusters)


@pytest.mark.slow
def test_pairs_over_several_draws_are_as_alone():
    n = 3000
    resamples = stats.GATHERED + 2 * (stats.CELLS // n) + 7
    assert_pairs_are_as_alone(scored(0, n, 3), [(0, 1), (2, 1)], resamples=resamples, seed=1)


@pytest.mark.nightly
def test_more_resampled_scores_than_are_held_at_once_change_nothing():
    systems, resamples = 30, 150_000
    assert systems * resamples * 4 > stats.SCORES
    table = scored(0, 6, systems)[0]
    pairs = [*((i, i + 1) for i in range(0, systems, 2)), (systems - 1, 0)]
    together = stats.compare([table], pairs, resamples=resamples)[0]
    for (a, b), one in list(zip(pairs, together, strict=True))[::5]:
        alone = stats.paired(table.rows[:, a], table.rows[:, b], mean, resamples=resamples)
        for field in ("difference", "low", "high", "p", "detectable"):
            np.testing.assert_allclose(getattr(one, field), getattr(alone, field), rtol=0, atol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(0, 12))
def test_pairs_are_taken_in_order_and_few_systems_at_a_time(pairs, most):
    blocks = list(_blocks(pairs, most))
    assert [(systems[a], systems[b]) for systems, block in blocks for a, b in block] == pairs
    for systems, _ in blocks:
        assert len(systems) <= max(2, most)
        assert systems == sorted(set(systems))


@pytest.mark.nightly
def test_a_long_test_set_needs_little_more_memory_than_its_rows():
    n, resamples = 100_000, 400  # 320 MB of counts, were they drawn at once
    table = scored(0, n, 4)[0]
    tracemalloc.start()
    stats.compare([table], [(0, 1), (2, 3)], resamples=resamples)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def test_nothing_to_compare_is_no_comparison():
    assert stats.compare([], [(0, 1)]) == []
    assert stats.compare(scored(0, 5, 2), []) == [[], [], []]


# Proportions.


@pytest.mark.parametrize(
    ("hits", "n", "expected"),
    [
        (81, 263, (25.5, 36.6)),  # Newcombe 1998, table I, method 3
        (15, 148, (6.2, 16.0)),
        (0, 20, (0.0, 16.1)),
        (1, 29, (0.6, 17.2)),
        (29, 29, (88.3, 100.0)),
    ],
)
def test_wilson_intervals_are_the_published_ones(hits, n, expected):
    assert stats.wilson(hits, n) == pytest.approx(expected, abs=0.05)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(case):
    hits, n = case
    low, high = stats.wilson(hits, n)
    assert 0 <= low <= 100 * hits / n <= high <= 100
    assert stats.wilson(n - hits, n) == pytest.approx((100 - high, 100 - low))


def test_the_interval_of_changed_samples_by_hand():
    """25 won, 16 lost of 100, half a sample more in each cell: (25.5 - 16.5) / 102 and its Wald error."""
    error = ((25.5 + 16.5) / 102 - (9 / 102) ** 2) ** 0.5 / 102**0.5
    expected = 100 * (9 / 102 - 1.96 * error), 100 * (9 / 102 + 1.96 * error), 100 * error
    assert stats.changed_interval(25, 16, 100) == pytest.approx(expected, abs=0.001)


CELLS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 200)).filter(any)


@given(CELLS)
def test_the_interval_of_changed_samples_holds_the_difference_and_mirrors(case):
    won, lost, same = case
    n = won + lost + same
    low, high, error = stats.changed_interval(won, lost, n)
    assert -100 <= low <= 100 * (won - lost) / n <= high <= 100
    assert stats.changed_interval(lost, won, n) == (-high, -low, error)


@given(CELLS, st.integers(1, 300))
def test_samples_that_did_not_change_turn_no_pass_into_a_fail(case, more):
    """What it lies above of a tolerated drop with fewer samples, it does not lie below with more."""
    won, lost, same = case
    few, many = (stats.changed_interval(won, lost, won + lost + same + extra) for extra in (0, more))
    assert many[1] >= min(0, few[0])
    assert many[0] <= max(0, few[1])


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_mcnemar_is_the_exact_sign_test(won, lost, same):
    a = np.array([0] * won + [1] * lost + [1] * same, dtype=float)
    b = np.array([1] * won + [0] * lost + [1] * same, dtype=float)
    n = won + lost
    tail = sum((Fraction(comb(n, k), 2**n) for k in range(min(won, lost) + 1)), Fraction(0))
    assert stats.mcnemar(a, b) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-12)


def test_mcnemar_by_hand_and_at_scale():
    assert stats.mcnemar(np.zeros(6), np.ones(6)) == 2 / 64
    assert stats.mcnemar(np.ones(3), np.ones(3)) == 1
    assert stats.mcnemar(np.zeros(5000), np.ones(5000)) == pytest.approx(0, abs=1e-300)


def test_rows_of_hits_get_mcnemar_unless_clustered():
    a, b = rows([0, 0, 0, 1, 0, 0]), rows([1, 1, 1, 1, 1, 1])
    exact = stats.paired(a, b, mean, resamples=200, interval="wilson")
    assert (exact.p.tolist(), exact.test) == ([2 / 32], "exact McNemar")
    clustered = stats.paired(a, b, mean, resamples=200, interval="wilson", clusters=[0, 0, 1, 1, 2, 2])
    assert clustered.test == "approximate randomisation, 200 resamples, seed 0"


# Families.


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.5, 0.9]) == [1.0, 1.0]
    assert stats.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p):
    adjusted = stats.holm(p)
    for one, two in zip(p, adjusted, strict=True):
        assert one <= two <= min(1, len(p) * one)
    by_p = [two for _, two in sorted(zip(p, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_the_smallest_p_survives_holm_in_any_family():
    for size in (1, 25, 26, 400):
        assert size / (1 + stats.resamples_for(size)) < 0.05
    assert (stats.resamples_for(25), stats.resamples_for(26)) == (10_000, 10_400)


# What is refused.


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: stats.bootstrap(rows([1.0]), mean), "1 sample has no spread to resample"),
        (lambda: stats.bootstrap(rows([1.0, 2]), mean, clusters=[0, 0]), "1 cluster has no spread"),
        (lambda: stats.bootstrap(rows([1.0, 2]), mean, clusters=[0]), "1 cluster labels for 2 samples"),
        (lambda: stats.bootstrap(rows([1.0, np.nan, 2]), mean), "row 1 holds a number that is not finite"),
        (lambda: stats.paired(rows([1.0, 2]), rows([1.0, 2, 3]), mean), "are not pairs"),
        (lambda: stats.wilson(3, 2), "no proportion: 3 hits of 2 samples"),
        (lambda: stats.wilson(0, 0), "no proportion"),
        (lambda: stats.changed_interval(3, 2, 4), "no proportions: 3 won and 2 lost of 4 samples"),
        (lambda: stats.holm([0.1, float("nan")]), "not probabilities"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_scipy_is_never_loaded():
    program = (
        "import sys, numpy as np; from harness import stats\n"
        "a = np.ones((9, 2)); stats.paired(a, a, lambda t: t[..., :1] / t[..., 1:], resamples=9)\n"
        "print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("hits", [0, 27])
def test_scores_that_no_resample_moves_have_wilsons_interval(hits: int) -> None:
    value = 100.0 * hits / 27
    interval = stats.score_interval(value, np.full(1_000, value), 27, "points")
    assert interval == pytest.approx(stats.wilson(hits, 27), abs=1e-9)


def test_an_unseen_share_widens_a_score_between_its_ends_and_none_is_known_without_ends() -> None:
    low, high = stats.unseen_interval(40.0, 100)
    share = stats.wilson(0, 100)[1] / 100
    assert (low, high) == pytest.approx((40 - 40 * share, 40 + 60 * share))
    assert stats.score_interval(0.0, np.zeros(1_000), 27, "raw") is None
    drawn = np.linspace(0, 1, 1_000)
    assert stats.score_interval(0.5, drawn, 27, "raw") == stats.percentile_interval(drawn)
