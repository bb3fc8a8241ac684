"""An objective that does not fit a suite's tasks is refused when the suite is read."""

import pytest

from harness.errors import SuiteError
from harness.suite.load import load_suite


def suite(task: str) -> dict[str, object]:
    return {
        "tasks": ["preferences", "dialogues"],
        "models": [{"name": "m", "uri": "zoo:llama2-tiny"}],
        "recipes": [{"name": "dpo", "steps": 1, "objective": "preferences"}],
        "train_on": [task],
    }


def test_preferences_are_learned_from_tasks_with_pairs() -> None:
    assert load_suite(suite("preferences")).recipes[0].objective == {"name": "preferences"}
    with pytest.raises(SuiteError) as refused:
        load_suite(suite("dialogues"))
    assert str(refused.value).startswith(
        "suite: recipes[0].objective: 'preferences' learns from a chosen and a rejected"
    )
    assert "task dialogues is of kind generate" in str(refused.value) and "\n" not in str(refused.value)
