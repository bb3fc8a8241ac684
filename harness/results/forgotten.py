"""What an adapter forgot: how its base and it find text that it was not trained on, on the same samples."""

from dataclasses import dataclass

from harness.results.records import Result, TaskFacts
from harness.types import Comparison, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """An adapter's loss on the text of the task that its suite names under `forgetting`."""

    task: TaskFacts
    change: Comparison  # adapter minus base, in the score's unit
    lost: float  # turned so that more is worse: bits per byte that the adapter needs more than its base
    low: float  # 95 %
    high: float


def forgotten(result: Result) -> dict[System, Forgotten]:
    """Return what each adapter forgot; nothing for one that was trained on that text, or was not asked it."""
    task = next((task for task in result.suite.tasks if task.name == result.suite.forgetting), None)
    if task is None:
        return {}
    trained_on = {
        System(model=facts.model, adapter=facts.name): facts.trained_on for facts in result.suite.adapters
    }
    lower = any(
        score.better == "lower"
        for score in result.scores
        if (score.task, score.metric) == (task.name, task.primary)
    )
    found: dict[System, Forgotten] = {}
    for pair in result.comparisons:
        system = pair.candidate
        if (pair.task, pair.metric) != (task.name, task.primary) or pair.baseline != system.base:
            continue
        if system.adapter is None or trained_on.get(system) == task.name or system in found:
            continue
        ends = (pair.low, pair.high) if lower else (0.0 - pair.high, 0.0 - pair.low)
        found[system] = Forgotten(
            task=task,
            change=pair,
            lost=pair.difference if lower else 0.0 - pair.difference,
            low=ends[0],
            high=ends[1],
        )
    return found
