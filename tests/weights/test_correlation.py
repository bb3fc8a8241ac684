"""Rank correlation within bases: against scipy where it has the same, against itself where it has not."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness.weights.correlation import FEWEST, MeasuredAdapter, corrected, correlate, tau_b

VALUES = st.lists(st.integers(-4, 4), min_size=2, max_size=20)


def candidates(*bases: tuple[Sequence[float], Sequence[float]], offset: float = 0.0) -> list[MeasuredAdapter]:
    """Adapters with a number and a score, for each base; each base is worth `offset` more than the one before."""
    return [
        MeasuredAdapter(
            adapter=f"a{n}",
            base=f"base {place}",
            score=score + offset * place,
            gain=score,
            numbers={"number": number + offset * place},
        )
        for place, (numbers, scores) in enumerate(bases)
        for n, (number, score) in enumerate(zip(numbers, scores, strict=True))
    ]


@given(VALUES, st.randoms(use_true_random=False))
def test_tau_b_is_scipys_with_ties(values: list[int], chance: object) -> None:
    other = [chance.choice((-2, -1, 0, 1, 2)) for _ in values]  # type: ignore[attr-defined]
    expected = scipy_stats.kendalltau(values, other).statistic
    assert tau_b(values, other) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30, unique=True), st.integers(0, 99))
def test_tau_b_is_scipys_without_ties(values: list[float], seed: int) -> None:
    other = np.random.default_rng(seed).standard_normal(len(values)).tolist()
    assert tau_b(values, other) == pytest.approx(scipy_stats.kendalltau(values, other).statistic)


@given(VALUES, VALUES)
def test_tau_b_has_two_sides_and_two_signs(values: list[int], others: list[int]) -> None:
    n = min(len(values), len(others))
    one, other = values[:n], others[:n]
    assert tau_b(one, other) == pytest.approx(tau_b(other, one), nan_ok=True)
    assert tau_b(one, [-value for value in other]) == pytest.approx(-tau_b(one, other), nan_ok=True)
    assert tau_b(one, [value**3 for value in other]) == pytest.approx(tau_b(one, other), nan_ok=True)


def test_one_base_alone_is_its_own_pool() -> None:
    random = np.random.default_rng(0)
    numbers, scores = random.standard_normal((2, 12)).tolist()
    (one,) = correlate(candidates((numbers, scores)), ["number"])
    assert one.tau == one.within[0].tau == pytest.approx(scipy_stats.kendalltau(numbers, scores).statistic)
    assert (one.low, one.high) == (one.within[0].low, one.within[0].high)
    assert one.n == one.within[0].n == 12


def test_p_is_near_the_exact_one() -> None:
    random = np.random.default_rng(1)
    for _ in range(5):
        numbers, scores = random.standard_normal((2, 8)).tolist()
        (one,) = correlate(candidates((numbers, scores)), ["number"])
        exact = scipy_stats.kendalltau(numbers, scores, method="exact").pvalue
        # 4 standard errors of a share of 10,000 draws
        assert one.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 10_000) ** 0.5 + 1e-3)


def test_bases_are_weighted_by_their_pairs() -> None:
    up, down = list(range(12)), list(range(8, 0, -1))
    (one,) = correlate(candidates((up, up), (down, list(range(8)))), ["number"])
    assert [within.tau for within in one.within] == [1.0, -1.0]
    assert one.tau == pytest.approx((66 - 28) / (66 + 28))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_what_a_base_is_worth_moves_nothing(seed: int, offset: float) -> None:
    """Scores and norms that differ by base only: the pooled value, interval and p stay to the last digit."""
    random = np.random.default_rng(seed)
    bases = [(random.integers(0, 9, 8).tolist(), random.integers(0, 9, 8).tolist()) for _ in range(3)]
    assume(all(len(set(side)) > 1 for base in bases for side in base))
    # A whole offset, or adding it would make ties of what is none.
    (here,), (there,) = (
        correlate(candidates(*bases, offset=float(round(moved))), ["number"]) for moved in (0.0, offset)
    )
    assert (here.tau, here.low, here.high, here.p) == (there.tau, there.low, there.high, there.p)


def test_the_unstratified_value_is_confounded_and_the_pooled_one_is_not() -> None:
    """Within each base a larger number is worse; in one heap it looks better, since better bases have larger ones."""
    up, down = list(map(float, range(8))), list(map(float, range(8, 0, -1)))
    (one,) = correlate(candidates((up, down), (up, down), (up, down), offset=100.0), ["number"])
    assert one.tau == -1
    assert one.unstratified_score > 0.3
    assert one.unstratified_gain is not None and one.unstratified_gain < 0


def test_draws_are_seeded() -> None:
    random = np.random.default_rng(2)
    some = candidates(*(random.standard_normal((2, 9)).tolist() for _ in range(2)))
    assert correlate(some, ["number"]) == correlate(some, ["number"])
    assert correlate(some, ["number"], seed=1) != correlate(some, ["number"])


@pytest.mark.parametrize(
    ("numbers", "scores"),
    [
        ([1.0] * 9, list(range(9))),  # the number says nothing
        (list(range(9)), [1.0] * 9),  # there is nothing to say
        (list(range(FEWEST - 1)), list(range(FEWEST - 1))),  # too few to say it of
    ],
)
def test_a_base_without_an_order_is_left_out(numbers: list[float], scores: list[float]) -> None:
    assert correlate(candidates((numbers, scores)), ["number"]) == ()
    sound = list(map(float, range(9)))
    (one,) = correlate(candidates((numbers, scores), (sound, sound)), ["number"])
    assert (one.tau, one.n, [within.base for within in one.within]) == (1.0, 9, ["base 1"])


def test_an_adapter_without_the_number_is_left_out() -> None:
    some = candidates((list(range(8)), list(range(8))))
    odd = MeasuredAdapter(adapter="odd", base="base 0", score=-9.0, gain=None, numbers={})
    (one,) = correlate([*some, odd], ["number", "unknown"])
    assert (one.n, one.tau) == (8, 1.0)


def test_p_is_corrected_over_the_family() -> None:
    random = np.random.default_rng(3)
    scores = random.standard_normal(12)
    some = [
        MeasuredAdapter(
            adapter=f"a{n}",
            base="b",
            score=float(score),
            gain=None,
            numbers={"same": float(score), "noise": float(random.standard_normal())},
        )
        for n, score in enumerate(scores)
    ]
    same, noise = corrected(correlate(some, ["noise", "same"]))
    assert (same.name, noise.name) == ("same", "noise")  # the strongest first
    assert same.p_holm == pytest.approx(2 * same.p)
    assert noise.p_holm == pytest.approx(max(noise.p, 2 * same.p))
    assert same.shown and not noise.shown
    assert not correlate(some, ["same"])[0].shown  # nothing is said before it is corrected


@pytest.mark.nightly
@pytest.mark.parametrize(("rho", "least"), [(0.0, 0.85), (0.6, 0.85)])
def test_intervals_cover_what_they_should(rho: float, least: float) -> None:
    """Of 60 draws of 4 bases with 12 adapters each, the share whose interval holds the true tau, 2 asin(rho) / pi."""
    random = np.random.default_rng(4)
    true = 2 / np.pi * np.arcsin(rho)
    held, chance = 0, 0
    for _ in range(60):
        number = random.standard_normal((4, 12))
        score = rho * number + (1 - rho**2) ** 0.5 * random.standard_normal((4, 12))
        (one,) = correlate(
            candidates(*zip(number.tolist(), score.tolist(), strict=True), offset=5.0), ["number"]
        )
        held += one.low <= true <= one.high
        chance += one.p < 0.05
    assert held / 60 >= least
    assert (chance / 60 < 0.15) if rho == 0 else (chance / 60 > 0.85)
