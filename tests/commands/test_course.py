"""How long the rest of a run takes: by a running step's own speed, by estimates, and by the steps that have ended."""

import pytest

from harness.commands.course import Course, about, makespan
from harness.run.counting import LOADING
from harness.types import Outcome, Step


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def step(name: str, *needs: str, kind: str = "generate", lane: str | None = "m") -> Step:
    return Step(id=name, kind=kind, spec=None, needs=needs, lane=lane, label=name)


def done(of: Step, seconds: float) -> Outcome:
    return Outcome(step=of.id, state="done", seconds=seconds)


def every(seconds: float) -> dict[str, float]:
    return dict.fromkeys("abcd", seconds)


A, B, C, D = (step(name) for name in "abcd")


def test_nothing_is_known_of_steps_that_nobody_estimated() -> None:
    course = Course([A, B])
    assert course.seconds_left() is None
    assert about(course.seconds_left()) == "unknown"


def test_estimates_of_waiting_steps_are_added_up() -> None:
    assert Course([A, B], expected=every(30)).seconds_left() == 60


def test_two_workers_take_half_the_time_and_no_less_than_the_longest_chain() -> None:
    chain = [step("a"), step("b", "a"), step("c", "b"), step("d")]
    assert Course([A, B, C, D], 2, every(30)).seconds_left() == 60
    assert Course(chain, 2, every(30)).seconds_left() == 90


def test_a_running_step_is_judged_by_its_own_speed_once_it_is_known() -> None:
    clock = Clock()
    course = Course([A], expected=every(1000), clock=clock)
    course.started(A)
    course.progress(A, 40, 100, LOADING)  # 40 are left of an earlier try
    clock.now += 20
    assert course.running["a"].loading
    assert course.seconds_left() == 1000  # loading is no part of it
    course.progress(A, 40, 100, "")
    clock.now += 10
    course.progress(A, 60, 100, "")
    at = course.running["a"]
    assert at.per_second == 2  # neither the loading nor the earlier answers count
    assert course.seconds_left_of(at) == 20
    clock.now += 5
    assert course.seconds_left_of(at) == 15  # no answer came since, and the time goes on
    clock.now += 100
    assert course.seconds_left_of(at) == 0


def test_a_step_that_takes_far_longer_than_expected_ends_nobody_knows_when() -> None:
    clock = Clock()
    course = Course([A], expected=every(10), clock=clock)
    course.started(A)
    course.progress(A, 0, 100, LOADING)
    clock.now += 49
    assert course.seconds_left() == 10
    clock.now += 2
    assert course.seconds_left() is None


def test_estimates_are_corrected_by_how_long_steps_of_the_kind_took() -> None:
    clock = Clock()
    course = Course([A, B, C], expected=every(10), clock=clock)
    course.started(A)
    course.progress(A, 0, 10, LOADING)
    clock.now += 20  # which say nothing of the next steps
    course.progress(A, 0, 10, "")
    clock.now += 30
    course.ended(A, done(A, 80))
    assert course.seconds_left() == 60


def test_a_machine_that_is_slower_than_thought_is_found_out_by_the_first_running_steps() -> None:
    clock = Clock()
    train = step("t", kind="train")
    course = Course([train, A], expected={"t": 10.0, "a": 5.0}, clock=clock)
    course.started(train)
    course.progress(train, 0, 100, "")
    clock.now += 10
    course.progress(train, 10, 100, "loss 2.1")
    assert course.seconds_left() == 90 + 50  # ten times as long, also what nothing is known of yet


def test_estimates_may_come_when_the_run_has_begun() -> None:
    clock = Clock()
    course = Course([A, B], clock=clock)
    assert course.seconds_left() is None
    course.expect(every(10))
    clock.now += 1
    assert course.seconds_left() == 20


def test_without_an_estimate_a_step_takes_as_long_as_those_of_its_kind_took() -> None:
    clock = Clock()
    train = step("t", kind="train")
    course = Course([A, B, C, train], clock=clock)
    for each, seconds in ((A, 10), (B, 20)):
        course.started(each)
        clock.now += seconds
        course.ended(each, done(each, seconds))
    assert course.seconds_left() is None  # how long training takes is unknown
    course.started(train)
    clock.now += 1
    course.progress(train, 0, 10, "")
    clock.now += 1
    course.progress(train, 1, 10, "loss 2.1")
    assert course.seconds_left() == 15 + 9


def test_steps_that_failed_or_were_kept_teach_nothing() -> None:
    course = Course([A, B])
    course.started(A)
    for each, state in ((A, "failed"), (A, "kept")):
        course.ended(each, Outcome(step=each.id, state=state, seconds=0.1))  # type: ignore[arg-type]
    assert course.seconds_left() is None


def test_light_steps_without_an_estimate_count_as_none() -> None:
    compare, report = step("c", kind="compare", lane=None), step("r", kind="report", lane=None)
    assert Course([A, compare, report], expected={A.id: 7.0}).seconds_left() == 7


@pytest.mark.parametrize(
    ("running", "waiting", "workers", "expected"),
    [
        ({}, [], 2, 0),
        ({"x": 5.0}, [], 2, 5),
        ({"x": 5.0}, [(step("a", "x"), 3.0)], 2, 8),
        ({"x": 5.0, "y": 1.0}, [(step("a"), 3.0), (step("b"), 3.0)], 2, 7),  # y's worker takes a, then b
        ({"x": 5.0, "y": 1.0}, [(step("a"), 9.0), (step("b"), 3.0)], 2, 10),
        ({}, [(step("a"), 3.0), (step("b", "a"), 3.0), (step("c"), 4.0)], 1, 10),
        ({}, [(step("a", "gone"), 3.0)], 1, 3),  # a need that has ended
    ],
)
def test_makespan(
    running: dict[str, float], waiting: list[tuple[Step, float]], workers: int, expected: float
) -> None:
    """Expected: by hand, each worker taking the first step that can start."""
    assert makespan(running, waiting, workers) == expected


def test_more_workers_never_take_longer_and_one_takes_the_sum() -> None:
    steps = [step(str(n), *[str(m) for m in range(n) if n % (m + 2) == 0]) for n in range(40)]
    waiting = [(each, 1.0 + int(each.id) % 5) for each in steps]
    times = [makespan({}, waiting, workers) for workers in (1, 2, 40)]
    assert times[0] == sum(seconds for _, seconds in waiting)
    assert times[0] > times[1] >= times[2] >= max(seconds for _, seconds in waiting)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "unknown"),
        (0.2, "a few seconds"),
        (7, "about 5 s"),
        (44, "about 40 s"),
        (99, "about 100 s"),
        (170, "about 3 min"),
        (5900, "about 98 min"),
        (9000, "about 2.5 h"),
        (50_000, "about 14 h"),
    ],
)
def test_a_time_to_come_is_said_no_more_precisely_than_it_is_known(seconds: float | None, words: str) -> None:
    assert about(seconds) == words
