"""Which tasks of a run are finished, and what can start."""

from pathlib import Path

import pytest

from harness.run.store import open_store
from harness.run.waiting import WaitingSteps
from harness.types import Plan, Step
from tests.run.interim import two_tasks


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return two_tasks(tmp_path, open_store(tmp_path / "store"))


def of(plan: Plan, label: str) -> Step:
    return next(step for step in plan.steps if step.label == label)


def test_each_task_has_its_own_comparison_which_needs_that_task_s_scores_alone(plan: Plan) -> None:
    for task in ("one", "two"):
        needs = set(of(plan, f"compare {task}").needs)
        assert needs == {step.id for step in plan.steps if step.label.startswith(f"score {task},")}


def test_a_task_is_finished_when_all_of_its_steps_have_ended(plan: Plan) -> None:
    """Whatever the order in which they end, and whatever other tasks do."""
    own = [step for step in plan.steps if step.label.split(",")[0].endswith(" one")]
    assert {step.kind for step in own} == {"load", "generate", "score", "compare"}
    for last in own:
        waiting = WaitingSteps(plan, plan.steps)
        for step in [*(step for step in own if step is not last), last]:
            assert waiting.finished_tasks == frozenset()
            waiting.end(step)
        assert waiting.finished_tasks == {"one"}
        assert not waiting.only_goal_left


def test_a_comparison_can_start_once_its_task_is_scored(plan: Plan) -> None:
    waiting, compare = WaitingSteps(plan, plan.steps), of(plan, "compare one")
    for step in plan.steps:
        if step.id in compare.needs:
            assert not waiting.can_start(compare)
            waiting.end(step)
    assert waiting.can_start(compare)
    waiting.end(compare)
    assert not waiting.can_start(compare)


def test_what_the_store_has_does_not_wait(plan: Plan) -> None:
    waiting = WaitingSteps(plan, plan.steps[-1:])
    assert waiting.finished_tasks == {"one", "two"}
    assert waiting.only_goal_left and waiting.can_start(plan.steps[-1])
