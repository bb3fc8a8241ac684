"""A statistic of all rows: where it is a function of their sum, it must say what that function says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats
from harness.leaderboard.rank import shares
from harness.stats import gathering


def mean(total):
    return 100 * total[..., :-1] / total[..., -1:]


def ratio(total):
    """Two scores, of which the second is no mean of the samples' own."""
    return np.stack([total[..., 0] / total[..., 2], 100 * total[..., 1] / (1 + total[..., 0])], axis=-1)


def of_rows(value):
    return stats.RowStatistic(lambda rows: value(rows.sum(axis=-2)))


@st.composite
def tables(draw):
    """Rows [n, 3 systems, 3], and the clusters of the samples, which differ in size, or None."""
    n = draw(st.integers(2, 30))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    rows = random.integers(0, 4, size=(n, 3, 3)).astype(float)
    rows[..., 2] = 1
    clusters = draw(st.none() | st.lists(st.integers(0, 5), min_size=n, max_size=n))
    if clusters is not None and len(set(clusters)) < 2:
        clusters = None
    return rows, clusters


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from([mean, ratio]), st.integers(0, 99))
def test_a_statistic_of_sums_has_the_intervals_and_p_of_a_function_of_sums(drawn, value, seed):
    rows, clusters = drawn
    summed = stats.Table(rows=rows, value=value)
    gathered = stats.Table(rows=rows, value=of_rows(value))
    np.testing.assert_allclose(gathered.scores(), summed.scores(), rtol=1e-12)
    np.testing.assert_allclose(gathered.of_samples(), summed.of_samples(), rtol=1e-12)
    # Both in one call, so that each result must be put in its place.
    pairs = [(0, 1), (2, 1)]
    results = stats.compare([gathered, summed, gathered], pairs, resamples=200, seed=seed, clusters=clusters)
    for here, there in [*zip(results[0], results[1], strict=True), *zip(results[2], results[1], strict=True)]:
        for name in ("difference", "low", "high", "error", "p", "detectable", "better", "worse"):
            np.testing.assert_allclose(
                getattr(here, name), getattr(there, name), rtol=1e-9, atol=1e-9, err_msg=name
            )
        assert here.test == there.test
    alike = [
        stats.bootstrap(rows[:, 0], formula, resamples=200, seed=seed, clusters=clusters)
        for formula in (value, of_rows(value))
    ]
    np.testing.assert_allclose(alike[0], alike[1], rtol=1e-9)
    chances = [
        stats.chance(table, pairs, resamples=150, seed=seed, clusters=clusters)
        for table in (summed, gathered)
    ]
    np.testing.assert_array_equal(chances[0][0], chances[1][0])


@settings(max_examples=20, deadline=None)
@given(tables())
def test_a_statistic_of_sums_has_the_seeds_intervals_and_shares_of_a_function_of_sums(drawn):
    rows, clusters = drawn
    each = [rows[:, 0], rows[:, 1], rows[:, 2]]
    found = [
        stats.over_seeds(each, each[0], formula, resamples=100, clusters=clusters)
        for formula in (ratio, of_rows(ratio))
    ]
    for part in ("score", "difference"):
        for name in ("value", "low", "high"):
            ours, theirs = (getattr(getattr(one, part), name) for one in found)
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    ours, theirs = (shares(rows[:, 0], formula, 1, clusters) for formula in (ratio, of_rows(ratio)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_blocks_do_not_show(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(40, 1))
    median = stats.RowStatistic(lambda rows: np.median(rows, axis=-2))
    whole = stats.bootstrap(rows, median, resamples=300, clusters=[*range(20)] * 2)
    monkeypatch.setattr(gathering, "NUMBERS", 90)
    np.testing.assert_array_equal(
        stats.bootstrap(rows, median, resamples=300, clusters=[*range(20)] * 2), whole
    )


def test_the_bootstrap_of_a_median_is_that_of_indices():
    """Efron's plain loop over the same draws."""
    rows = np.random.default_rng(1).normal(size=(25, 1))
    median = stats.RowStatistic(lambda rows: np.median(rows, axis=-2))
    found = stats.bootstrap(rows, median, resamples=100, seed=4)[:, 0]
    (counts,) = stats.draws.counts(25, 100, 4)
    expected = [np.median(np.repeat(rows[:, 0], count.astype(int))) for count in counts]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("rows", "clusters", "said"),
    [
        ([[1.0]], None, "1 sample has no spread"),
        ([[1.0], [2.0]], [0, 0], "1 cluster has no spread"),
        ([[1.0], [2.0]], [0], "1 cluster labels for 2 samples"),
        ([[1.0], [np.inf]], None, "row 1 holds a number that is not finite"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused(rows, clusters, said):
    with pytest.raises(ValueError, match=said):
        stats.bootstrap(np.array(rows), of_rows(mean), clusters=clusters)
