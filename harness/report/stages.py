"""What a task's section says of adapters that were trained in stages: where each began, and what its cost leaves out."""

from harness import text as words
from harness.results import Result, TaskFacts


def begun(result: Result, task: TaskFacts) -> tuple[str, ...]:
    """Return a line for each adapter that answered a task and whose training began with the factors of another one."""
    here = {score.system for score in result.scores if score.task == task.name and score.primary}
    return tuple(
        f"{words.visible(f'{adapter.model} + {adapter.name}')}: its training started from the adapter "
        f"{words.visible(adapter.start)}; its training time and its losses are those of this stage alone."
        for adapter in result.suite.adapters
        if adapter.start is not None
        and any((system.model, system.adapter) == (adapter.model, adapter.name) for system in here)
    )
