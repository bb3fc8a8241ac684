"""Keep track of which steps of a run have not ended yet, and so which tasks are finished."""

from collections.abc import Iterable

from harness.run.steps.report import Report
from harness.types import Plan, Step


class WaitingSteps:
    """The steps of a run that have not ended yet. A step that the store already has does not wait."""

    def __init__(self, plan: Plan, todo: Iterable[Step]) -> None:
        self._waiting = {step.id for step in todo}
        self._goal = plan.steps[-1]
        self._of_task: dict[str, set[str]] = {}
        self._scored: set[str] = set()  # tasks; on the others adapters are only trained
        if isinstance(self._goal.spec, Report):
            for part, need in zip(self._goal.spec.parts, self._goal.needs, strict=True):
                if part.task:
                    self._of_task.setdefault(part.task, set()).add(need)
                    if part.kind == "score":
                        self._scored.add(part.task)

    def end(self, step: Step) -> None:
        """Remove a step that has ended, with or without a result."""
        self._waiting.discard(step.id)

    def can_start(self, step: Step) -> bool:
        """Return whether the step waits, and all steps that it needs have ended."""
        return step.id in self._waiting and self._waiting.isdisjoint(step.needs)

    @property
    def finished_tasks(self) -> frozenset[str]:
        """Return the scored tasks of which all steps have ended: also their scores and comparisons."""
        return frozenset(task for task in self._scored if self._waiting.isdisjoint(self._of_task[task]))

    @property
    def only_goal_left(self) -> bool:
        """Return whether no step waits but the plan's last one, the report."""
        return self._waiting <= {self._goal.id}
