"""What benchmarks/races/honesty.py measures at length, with few repeats: three standard errors are allowed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.lib import judged
from benchmarks.lib.worlds import World, hits, rouge_like, texts
from benchmarks.races import honesty, judges
from harness import stats

REPEATS, RESAMPLES = 400, 1_000
MANY = 1_600  # repeats, which tell intervals of 90 % from those of 95 %; of 400 they are not told
N = 200
SKEWED = rouge_like("mean 6, two thirds 0", 0.75, 0.5, 4.0)
BLEU = texts("bleu", "bleu")


def allowed(percent: float, repeats: int = REPEATS) -> float:
    """Three standard errors of a share."""
    return 3 * (percent * (100 - percent) / repeats) ** 0.5


def within(found: float, goal: tuple[float, float], repeats: int = REPEATS) -> bool:
    """Whether a share of so many repeats could be one that meets its goal."""
    low, high = goal
    return low - allowed(low, repeats) <= found <= high + allowed(high, repeats)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "goal", "repeats"), [(SKEWED, honesty.COVERS, MANY), (BLEU, honesty.OF_BLEU, REPEATS)]
)
def test_intervals_cover_what_they_say(world: World, goal: tuple[float, float], repeats: int) -> None:
    plain, bca = honesty.scores(world, N, REPEATS, RESAMPLES)
    assert within(plain, goal)
    assert within(bca, goal)
    assert within(honesty.compared(world, N, repeats, RESAMPLES).covered, goal, repeats)


@pytest.mark.slow
def test_intervals_that_are_too_narrow_are_found() -> None:
    """Those of 90 %: 1.64 standard errors in place of 1.96."""
    found = honesty.compared(SKEWED, N, MANY, RESAMPLES)
    short = 1.6449 * found.error
    narrow = replace(found, low=found.difference - short, high=found.difference + short)
    assert within(found.covered, honesty.COVERS, MANY)
    assert not within(narrow.covered, honesty.COVERS, MANY)
    even = hits(0.5, 0.05, 0.05)
    assert honesty.of_changed(even, N, z=1.6449) < honesty.COVERS[0]


def test_intervals_of_shares_cover_what_they_say() -> None:
    covered = [honesty.wilson(N, share) for share in honesty.SHARES]
    assert np.mean(covered) == pytest.approx(95, abs=0.3)
    assert min(covered) > 93
    assert max(covered) < 97


@pytest.mark.parametrize(
    ("shares", "low", "high"), [((0.5, 0.05, 0.05), 94.5, 96.5), ((0.5, 0.02, 0.005), 94.5, 97)]
)
def test_intervals_of_changed_samples_cover_what_they_say(
    shares: tuple[float, float, float], low: float, high: float
) -> None:
    assert low <= honesty.of_changed(hits(*shares), N) <= high


@pytest.mark.parametrize("world", [SKEWED, hits(0.5, 0.05, 0.05)], ids=["scores", "hits"])
def test_a_gate_fails_seldom_where_nothing_was_lost(world: World) -> None:
    even = world.at(0.0, N) if world is SKEWED else world
    found = honesty.compared(even, N, REPEATS, RESAMPLES)
    assert honesty.share(found.failed(0.0)) <= honesty.FALSE_ALARMS + allowed(honesty.FALSE_ALARMS)
    for errors in (stats.Z_95, stats.Z_95 + stats.Z_80):
        foretold = 100 * stats.pass_chance(errors, 1.0)
        assert honesty.share(found.passed(errors * even.error(N))) == pytest.approx(
            foretold, abs=allowed(foretold)
        )


@pytest.mark.slow
@pytest.mark.parametrize("world", [SKEWED, BLEU, hits(0.5, 0.05, 0.05)], ids=["scores", "BLEU", "hits"])
def test_the_smallest_detectable_difference_is_found_as_often_as_it_should_be(world: World) -> None:
    assert within(honesty.compared(world.detectable(N), N, REPEATS, RESAMPLES).power, honesty.POWER)


@pytest.mark.slow
def test_the_named_number_of_samples_decides() -> None:
    opened, decided = honesty.settled(SKEWED, N, 0.5, REPEATS)
    assert opened > 85
    assert decided >= honesty.DECIDES - allowed(honesty.DECIDES)
    opened, decided = honesty.settled_share(0.5, N, 0.5)
    assert (opened > 85, decided >= honesty.DECIDES) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_over_seeds_cover_no_less_than_they_say(seeds: int) -> None:
    score, difference = honesty.recipes(seeds, 3.0, REPEATS)
    low = honesty.COVERS[0] - allowed(honesty.COVERS[0])
    assert score >= low
    assert difference >= low


@pytest.mark.slow
@pytest.mark.parametrize(("judge", "truth"), [((0.92, 0.98), 0.5), ((0.6, 0.9), 0.3), ((0.21, 0.98), 0.5)])
def test_corrected_rates_of_judges_that_err_cover_what_they_say(
    judge: tuple[float, float], truth: float
) -> None:
    ours, _, as_judged, told = judged.rates(truth, judge, 800, 200, MANY)
    assert within(ours, judges.COVERS, MANY)
    assert told > 99
    assert as_judged < 50 or judge[0] > 0.9  # what is not corrected misses


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False])
def test_differences_of_judged_systems_cover_what_they_say(same: bool) -> None:
    both = ((0.8, 0.8), (0.8, 0.8)) if same else ((0.92, 0.98), (0.6, 0.9))
    covered, found = judged.differences((0.3, 0.3), both, same, 800, 200, MANY)
    assert within(covered, judges.COVERS, MANY)
    assert found <= 5 + allowed(5, MANY)
