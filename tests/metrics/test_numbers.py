"""Metrics of numbers against scipy and scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.metrics import mean_squared_error

from harness import stats
from harness.errors import DataError
from harness.metrics import load
from harness.stats.correlation import average_ranks
from harness.types import Generation, Sample

NUMBER = st.integers(-5, 5).map(lambda number: number / 2) | st.floats(-1e6, 1e6, allow_subnormal=False)
PAIRS = st.lists(st.tuples(NUMBER, NUMBER), min_size=2, max_size=40)


def rows(metric, pairs):
    return np.array(
        [
            metric.row(
                Sample(id="1", input="", references=(str(wanted),)),
                Generation(sample_id="1", text=str(given)),
            )
            for wanted, given in pairs
        ]
    )


def score(name, pairs):
    metric = load(name)
    table = rows(metric, pairs)
    return float((metric.statistic(table) if metric.statistic else metric.value(table.sum(axis=0)))[0])


@settings(max_examples=50, deadline=None)
@given(PAIRS)
@example([(1, 1), (2, 2), (2, 3)])
@example([(1e6, 1.0), (1e6 + 0.5, 2.0), (1e6 - 0.5, 1.5)])
def test_scores_are_scipys(pairs):
    wanted, found = map(np.array, zip(*pairs, strict=True))
    assert score("mse", pairs) == pytest.approx(mean_squared_error(wanted, found), rel=1e-12, abs=1e-12)
    # Where a side hardly varies beside its size, rounding of its mean decides: scipy warns of it.
    assume(all(np.ptp(side) > 1e-6 * np.abs(side).max() for side in (wanted, found)))
    assert score("spearman", pairs) == pytest.approx(100 * spearmanr(wanted, found)[0], rel=1e-12, abs=1e-9)
    # Distances from the mean are rounded by eps of the largest number: 1e-6 of it leaves ten digits.
    assert score("pearson", pairs) == pytest.approx(100 * pearsonr(wanted, found)[0], rel=1e-9, abs=1e-7)


def test_scores_are_scipys_to_twelve_digits():
    random = np.random.default_rng(0)
    wanted = random.normal(3, 1, 200)
    found = np.round(wanted + random.normal(0, 1, 200), 1)
    pairs = [*zip(wanted, found, strict=True)]
    assert score("pearson", pairs) == pytest.approx(100 * pearsonr(wanted, found)[0], rel=1e-12)
    assert score("spearman", pairs) == pytest.approx(100 * spearmanr(wanted, found)[0], rel=1e-12)
    assert score("mse", pairs) == pytest.approx(mean_squared_error(wanted, found), rel=1e-12)


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_the_bootstrap_is_that_of_single_resamples(name):
    random = np.random.default_rng(3)
    pairs = [*zip(random.integers(0, 6, 30), random.normal(size=30), strict=True)]
    pairs[4] = (2, "none")
    metric = load(name)
    drawn = stats.bootstrap(rows(metric, pairs), metric.formula, resamples=60, seed=5)[:, 0]
    (counts,) = stats.draws.counts(30, 60, 5)
    for count, found in zip(counts, drawn, strict=True):
        again = [pair for pair, times in zip(pairs, count.astype(int), strict=True) for _ in range(times)]
        assert found == pytest.approx(score(name, again), rel=1e-9, abs=1e-9)


def test_the_bootstrap_of_pearson_stands_outliers_and_numbers_that_hardly_vary():
    random = np.random.default_rng(4)
    wanted, found = random.integers(0, 3, 12).astype(float), np.full(12, 7.0)
    wanted[0], found[1:3] = 1e9, (7.5, 1e6)
    pairs = [*zip(wanted, found, strict=True), (2, "none")]
    drawn = random.multinomial(13, np.full(13, 1 / 13), size=200).T
    metric = load("pearson")
    again = [metric.statistic(np.repeat(rows(metric, pairs), times, axis=0)) for times in drawn.T]
    np.testing.assert_allclose(
        metric.weighted(rows(metric, pairs), drawn.astype(float)), again, rtol=1e-9, atol=1e-9
    )
    assert sum(each[0] == 0 for each in again) > 5  # resamples in which all answers are equal


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=4))
def test_average_ranks_are_scipys(tables):
    np.testing.assert_array_equal(
        average_ranks(np.array(tables, dtype=float)), rankdata(tables, axis=-1, method="average")
    )


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_an_answer_that_is_no_number_adds_nothing_and_is_not_left_out(name):
    pairs = [(1, 1), (2, 2), (3, 3), (4, 4)]
    missing = [*pairs, (5, "no idea")]
    assert score(name, pairs) == pytest.approx(100)
    assert 0 < score(name, missing) < 90
    # 2.5 is the mean of the other answers, and of their ranks.
    wanted, found = zip(*pairs, (5, 2.5), strict=True)
    assert score(name, missing) == pytest.approx(100 * pearsonr(wanted, found)[0])
    assert score(name, [(1, "a"), (2, "b")]) == 0


def test_an_answer_that_is_no_number_counts_as_zero_in_the_squared_error():
    assert score("mse", [(3, "three"), (1, 1)]) == 4.5


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_constant_side_has_no_correlation(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score(name, [(1, 0.1), (2, 0.1), (4, 0.1)]) == 0
        assert score(name, [(0.1, 5), (0.1, 7), (0.1, 9)]) == 0


@pytest.mark.parametrize("name", ["pearson", "spearman", "mse"])
def test_a_reference_that_is_no_number_is_refused(name):
    metric = load(name)
    with pytest.raises(DataError, match="sample 'q7': the reference 'high' is not a number"):
        metric.row(Sample(id="q7", input="", references=("high",)), Generation(sample_id="q7", text="1"))


@pytest.mark.parametrize("name", ["pearson", "spearman", "mse"])
def test_answers_that_are_no_number_are_counted(name):
    (caution,) = load(name).cautions
    sample = Sample(id="1", input="", references=("1",))
    said = {
        text: caution.holds(sample, Generation(sample_id="1", text=text))
        for text in ("1.5", "", "1e300", "x")
    }
    assert said == {"1.5": False, "": True, "1e300": True, "x": True}
    assert "no number" in caution.said
