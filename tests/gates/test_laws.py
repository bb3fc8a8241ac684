"""What must hold of verdicts whatever the scores are, on small results that are written for each example."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats
from harness.gates import decide as verdicts
from harness.gates.judge import judge
from harness.gates.rules.max_worse_samples import WorseSamples
from harness.results import baseline
from harness.types import Gate, Verdict

from .made import ADAPTER, BASE, result
from .made import gate as make_gate

# Scores as metrics give them: many nothings, many wholes, and between.
SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, width=16))
FEW = settings(max_examples=25, deadline=None)


@st.composite
def pairs(draw: st.DrawFn, least: int = 12, most: int = 40) -> tuple[list[float], list[float]]:
    """What a base and its adapter score on the same samples."""
    n = draw(st.integers(least, most))
    base = draw(st.lists(SCORES, min_size=n, max_size=n))
    changes = draw(st.lists(st.sampled_from([0.0, 0.0, -0.25, 0.1, 0.5, -1.0]), min_size=n, max_size=n))
    return base, [min(1.0, max(0.0, one + change)) for one, change in zip(base, changes, strict=True)]


def judged(base: Sequence[float], mine: Sequence[float], gates: Sequence[Gate]) -> tuple[Verdict, ...]:
    with TemporaryDirectory() as place:
        folder = result(Path(place) / "result", {BASE: base, ADAPTER: mine})
        return judge(folder, gates).verdicts


def drops(*limits: float) -> list[Gate]:
    return [make_gate(max_drop=limit) for limit in limits]


@pytest.mark.slow
@given(pairs())
@FEW
def test_the_two_sides_swapped_negate_the_difference_and_its_interval(
    pair: tuple[list[float], list[float]],
) -> None:
    base, mine = pair
    (there,) = judged(base, mine, drops(1))
    (back,) = judged(mine, base, drops(1))
    assert there.value is not None and back.value is not None
    assert there.low is not None and there.high is not None
    assert [back.value, back.low, back.high] == pytest.approx(
        [-there.value, -there.high, -there.low], abs=1e-9
    )


@pytest.mark.slow
@given(pairs())
@FEW
def test_so_do_a_result_and_its_baseline(pair: tuple[list[float], list[float]]) -> None:
    with TemporaryDirectory() as place:
        folders = [result(Path(place) / str(n), {BASE: scores}) for n, scores in enumerate(pair)]
        files = [Path(place) / f"{n}.json" for n in range(2)]
        for folder, file in zip(folders, files, strict=True):
            baseline.write(file, baseline.make(folder))
        gate = make_gate(adapter="base", max_drop=1)
        (there,) = judge(folders[1], [gate], baseline=files[0]).verdicts
        (back,) = judge(folders[0], [gate], baseline=files[1]).verdicts
    assert there.value is not None and there.low is not None and there.high is not None
    assert [back.value, back.low, back.high] == pytest.approx(
        [-there.value, -there.high, -there.low], abs=1e-9
    )


@pytest.mark.slow
@given(pairs(), st.integers(1, 60), SCORES, st.sampled_from([0.0, 1.0, 5.0, 20.0]))
@FEW
def test_samples_on_which_both_are_equal_never_turn_a_pass_into_a_fail(
    pair: tuple[list[float], list[float]], more: int, score: float, limit: float
) -> None:
    base, mine = pair
    gates = [
        make_gate(max_drop=limit),
        make_gate(max_worse_samples=WorseSamples(drop=limit, samples=3)),
        make_gate(max_worse_samples=WorseSamples(drop=limit, percent=20)),
    ]
    before = judged(base, mine, gates)
    after = judged([*base, *[score] * more], [*mine, *[score] * more], gates)
    for one, other in zip(before, after, strict=True):
        assert (one.verdict, other.verdict) != ("pass", "fail"), (one, other)
        if one.rule == "max_worse_samples" and one.verdict == "pass":
            assert other.verdict == "pass"  # the count is as it was, of more samples


@given(
    st.lists(st.floats(-100, 100, width=16), min_size=12, max_size=200), st.integers(1, 400), st.floats(0, 20)
)
@FEW
def test_they_draw_the_estimate_to_nothing_and_leave_no_clear_loss_beyond_a_margin_that_was_kept(
    losses: list[float], more: int, margin: float
) -> None:
    """The same of the pure verdict on normal intervals, whose ends are known without a draw."""

    def found(changes: Sequence[float]) -> verdicts.Finding:
        n, value = len(changes), float(np.mean(changes))
        half = stats.Z_95 * float(np.std(changes)) / n**0.5
        return verdicts.between(value, value - half, value + half, margin, n)

    before, after = found(losses), found([*losses, *[0.0] * more])
    assert abs(after.value) <= abs(before.value) + 1e-9
    assert (before.word, after.word) != ("pass", "fail")


@pytest.mark.slow
@given(pairs(), st.randoms(use_true_random=False))
@FEW
def test_the_order_of_samples_moves_no_difference_and_nothing_that_is_not_resampled(
    pair: tuple[list[float], list[float]], random: Random
) -> None:
    gates = [
        make_gate(max_drop=5),
        make_gate(max_worse_samples=WorseSamples(drop=5, samples=4)),
        make_gate(max_worse_samples=WorseSamples(drop=5, percent=20)),
        make_gate(metric="exact", min_value=20),
    ]
    before, after = judged(*pair, gates), judged(*_shuffled(pair, random), gates)
    assert after[0].value == pytest.approx(before[0].value, abs=1e-9)
    assert before[1:] == after[1:]


@pytest.mark.slow
@given(st.integers(0, 1000), st.integers(60, 200), st.randoms(use_true_random=False))
@FEW
def test_it_moves_ends_of_intervals_by_no_more_than_another_seed_would(
    seed: int, n: int, random: Random
) -> None:
    """An end scatters by √(0.025 × 0.975 / 10,000) / φ(1.96) = 0.027 standard errors, so two ends are 0.038 apart; room
    is given for six times as much. Scores are drawn from all of 0 to 1: of few, a resampled end jumps from one to the next.
    """
    base = np.random.default_rng(seed).beta(2, 3, (2, n))
    pair = [*base[0]], [*base[1]]
    (before,), (after,) = judged(*pair, drops(5)), judged(*_shuffled(pair, random), drops(5))
    ends = before.low, before.high, after.low, after.high
    low, high, moved_low, moved_high = (end for end in ends if end is not None)
    room = 0.23 * (high - low) / (2 * stats.Z_95)
    assert abs(moved_low - low) <= room
    assert abs(moved_high - high) <= room


def _shuffled(pair: tuple[list[float], list[float]], random: Random) -> tuple[list[float], list[float]]:
    order = list(range(len(pair[0])))
    random.shuffle(order)
    base, mine = ([scores[place] for place in order] for scores in pair)
    return base, mine


@pytest.mark.slow
@given(pairs(), st.randoms(use_true_random=False))
@FEW
def test_the_order_in_which_a_baseline_holds_its_samples_changes_nothing(
    pair: tuple[list[float], list[float]], random: Random
) -> None:
    """A baseline's rows are put into the result's order: not a digit moves."""
    base, mine = pair
    order = list(range(len(base)))
    random.shuffle(order)
    gates = [make_gate(adapter="base", max_drop=5), make_gate(adapter="base", max_relative_drop=20)]
    with TemporaryDirectory() as place:
        folder = result(Path(place) / "result", {BASE: mine})
        found = []
        for name, places in (("straight", range(len(base))), ("shuffled", order)):
            ids = [f"s{n}" for n in places]
            kept = result(Path(place) / name, {BASE: [base[n] for n in places]}, ids=ids)
            # One name for both, since it is said in the verdicts.
            baseline.write(Path(place) / "kept.json", baseline.make(kept))
            found.append(judge(folder, gates, baseline=Path(place) / "kept.json").verdicts)
    assert found[0] == found[1]


@pytest.mark.slow
@given(pairs(), st.sampled_from([0.0, 1.0, 5.0, 20.0]), st.integers(1, 4))
@FEW
def test_copies_of_a_gate_never_turn_anothers_pass_into_a_fail(
    pair: tuple[list[float], list[float]], limit: float, copies: int
) -> None:
    """More gates make Holm's correction stricter: what passes stays, and what failed may become one that cannot tell."""
    base, mine = pair
    gates = [make_gate(max_drop=limit), make_gate(min_value=10 * limit), make_gate(must_beat=True)]
    alone = judged(base, mine, gates)
    among = judged(base, mine, [*gates, *[gates[0]] * copies])
    for one, other in zip(alone, among[:3], strict=True):
        assert one.verdict == other.verdict or (one.verdict, other.verdict) == ("fail", "inconclusive")
    assert {other.verdict for other in (among[0], *among[3:])} == {
        among[0].verdict
    }  # equal gates, equal verdicts


@pytest.mark.slow
@given(pairs(), st.lists(st.floats(0, 60), min_size=2, max_size=6))
@FEW
def test_a_stricter_limit_never_turns_what_does_not_pass_into_a_pass(
    pair: tuple[list[float], list[float]], limits: list[float]
) -> None:
    base, mine = pair
    lenient = sorted(limits, reverse=True)
    ladders = [
        [make_gate(max_drop=limit) for limit in lenient],
        [make_gate(max_relative_drop=limit) for limit in lenient],
        [make_gate(min_value=limit) for limit in reversed(lenient)],
        [make_gate(metric="exact", min_value=limit) for limit in reversed(lenient)],
        [make_gate(max_worse_samples=WorseSamples(drop=5, percent=limit)) for limit in lenient],
        [make_gate(max_worse_samples=WorseSamples(drop=5, samples=int(limit))) for limit in lenient],
        [make_gate(max_worse_samples=WorseSamples(drop=limit, samples=3)) for limit in lenient],
    ]
    found = iter(judged(base, mine, [gate for ladder in ladders for gate in ladder]))
    for ladder in ladders:
        passed = [next(found).verdict == "pass" for _ in ladder]
        assert passed == sorted(passed, reverse=True), (ladder[0], passed)
