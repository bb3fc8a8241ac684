"""The time of a run from the times of its steps: the local engine's schedule, played."""

from collections.abc import Mapping

import pytest

from harness.plan.timetable import makespan
from harness.types import Step


def steps(*lanes: str, kind: str = "generate") -> list[Step]:
    return [Step(id=f"{lane}{at}", kind=kind, spec=None, lane=lane) for at, lane in enumerate(lanes)]


def took(todo: list[Step], seconds: Mapping[str, float], workers: int, opening: float = 0.0) -> float:
    return makespan(todo, seconds, workers, lambda lane, first: opening if first else opening / 10)


def test_one_worker_takes_the_sum_and_two_workers_share_two_lanes() -> None:
    todo = steps("a", "a", "b", "b")
    seconds = dict.fromkeys((step.id for step in todo), 10.0)
    assert took(todo, seconds, 1) == took(todo, seconds, 0) == 40
    assert took(todo, seconds, 2) == 20
    assert took(todo, seconds, 3) == 20  # a third worker helps a lane, whose steps are as long
    assert took(todo, seconds, 4) == 10


def test_a_step_waits_for_the_steps_that_it_needs() -> None:
    train = Step(id="t", kind="train", spec=None, lane="a")
    answer = Step(id="g", kind="generate", spec=None, lane="a", needs=("t",))
    assert took([train, answer], {"t": 30.0, "g": 5.0}, 4) == 35


def test_a_worker_opens_its_first_model_slowly_and_each_later_one_once() -> None:
    todo = steps("a", "a", "b")
    seconds = dict.fromkeys((step.id for step in todo), 1.0)
    assert took(todo, seconds, 1, opening=10) == pytest.approx(3 + 10 + 1)
    assert took(steps("a", kind="score"), {"a0": 1.0}, 1, opening=10) == 1  # scoring loads no model


def test_light_steps_run_alone_before_and_after() -> None:
    light = [
        Step(id="l", kind="load", spec=None),
        Step(id="c", kind="compare", spec=None),
        Step(id="r", kind="report", spec=None),
    ]
    assert took([*light, *steps("a", "b")], {"l": 1, "c": 2, "r": 3, "a0": 10, "b1": 10}, 2) == 16


def test_no_schedule_is_shorter_than_its_longest_chain_or_than_its_work_shared_evenly() -> None:
    todo = steps(*"aabbbccd")
    seconds = {step.id: 1.0 + at for at, step in enumerate(todo)}
    for workers in range(1, 6):
        found = took(todo, seconds, workers)
        assert sum(seconds.values()) / workers <= found <= sum(seconds.values())
