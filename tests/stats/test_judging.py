"""Rates and differences that are corrected for a judge's errors: laws, and scipy's Fisher test as the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from harness import stats
from harness.stats import JudgeErrors, judging

PERFECT = JudgeErrors(positives=10**6, found=10**6, negatives=10**6, mistaken=0)
POOR = JudgeErrors(positives=100, found=40, negatives=100, mistaken=10)


def judged(hits: int, n: int) -> np.ndarray:
    return np.array([1.0] * hits + [0.0] * (n - hits))


@given(hits=st.integers(0, 200), found=st.integers(30, 100), mistaken=st.integers(0, 10))
@settings(deadline=None)
def test_the_rate_solves_what_was_judged_and_lies_in_its_interval(
    hits: int, found: int, mistaken: int
) -> None:
    errors = JudgeErrors(positives=100, found=found, negatives=100, mistaken=mistaken)
    one = stats.corrected(judged(hits, 200), errors)
    assert 0 <= one.low <= one.value <= one.high <= 100
    if 0 < one.value < 100:
        rate = one.value / 100
        assert rate * found / 100 + (1 - rate) * mistaken / 100 == pytest.approx(hits / 200)


def test_a_judge_that_never_errs_changes_nothing() -> None:
    one = stats.corrected(judged(60, 200), PERFECT)
    assert one.value == pytest.approx(30, abs=1e-9)
    assert (one.low, one.high) == pytest.approx(stats.wilson(60, 200), abs=0.2)


def test_fewer_labelled_answers_make_wider_intervals() -> None:
    few = JudgeErrors(positives=20, found=16, negatives=20, mistaken=2)
    many = JudgeErrors(positives=2000, found=1600, negatives=2000, mistaken=200)
    wide, narrow = (stats.corrected(judged(80, 400), errors) for errors in (few, many))
    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_halves_count_half() -> None:
    ties, hits = np.full(200, 0.5), judged(100, 200)
    assert stats.corrected(ties, POOR).value == pytest.approx(stats.corrected(hits, POOR).value)


def test_a_difference_is_that_of_the_rates_and_turns_with_its_sides() -> None:
    random = np.random.default_rng(3)
    a, b = (random.random((2, 300)) < [[0.2], [0.4]]).astype(float)
    there = stats.corrected_difference(a, b, POOR, POOR, same=True)
    back = stats.corrected_difference(b, a, POOR, POOR, same=True)
    assert there.value == pytest.approx(stats.corrected(b, POOR).value - stats.corrected(a, POOR).value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == pytest.approx(back.p)


def test_one_judge_for_both_systems_is_surer_than_two_as_poor() -> None:
    a, b = judged(120, 300), judged(130, 300)
    one = stats.corrected_difference(a, b, POOR, POOR, same=True)
    two = stats.corrected_difference(a, b, POOR, POOR, same=False)
    assert two.high - two.low > one.high - one.low


def test_equal_answers_differ_in_nothing() -> None:
    a = judged(120, 300)
    one = stats.corrected_difference(a, a, POOR, POOR, same=True)
    assert one.value == 0 and one.low < 0 < one.high and one.p == pytest.approx(1)


def test_a_judge_that_says_the_same_to_everything_does_not_tell() -> None:
    assert not JudgeErrors(positives=100, found=90, negatives=100, mistaken=88).tells
    assert not JudgeErrors(positives=9, found=9, negatives=100, mistaken=0).tells  # too few are labelled
    assert POOR.tells


@given(n=st.integers(1, 40), m=st.integers(1, 40), data=st.data())
@settings(deadline=None)
def test_fishers_p_is_scipys(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    assert judging.fisher(a, n, b, m) == pytest.approx(fisher_exact([[a, n - a], [b, m - b]])[1], rel=1e-6)


def test_a_share_that_the_errors_do_not_allow_for_does_not_fit() -> None:
    often = JudgeErrors(positives=150, found=97, negatives=150, mistaken=29)  # finds 19 % where nothing is
    assert not stats.fits(judged(0, 200), often)
    assert not stats.fits(judged(196, 200), often)
    assert stats.fits(judged(60, 200), often) and stats.fits(judged(0, 10), often)


def test_families_on_which_a_rule_errs_otherwise_are_not_alike() -> None:
    good = JudgeErrors(positives=100, found=92, negatives=100, mistaken=2)
    bad = JudgeErrors(positives=100, found=21, negatives=100, mistaken=2)
    assert not stats.alike([good, bad])
    assert stats.alike([good, good, JudgeErrors(positives=100, found=90, negatives=100, mistaken=3)])
    assert stats.alike([good])
