"""Run the steps of a plan that its store does not have yet.

The engine runs the steps that use a base model; light steps run in this process. When a step fails, only the steps that
need its result are skipped: the report is written over the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.run import engines
from harness.run.engines import Progress
from harness.run.going import Going, Show
from harness.run.repair import missing
from harness.run.runner import Runner, log_of
from harness.run.schedule import Schedule
from harness.run.steps import RunRecord, find
from harness.run.store import Store
from harness.types import Outcome, Plan, Runtime, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """How each step of a run ended, and where its report is."""

    outcomes: Mapping[str, Outcome]
    report: Path | None  # the folder with the RESULT's data; None where even that failed

    @property
    def failed(self) -> list[Outcome]:
        """Return the outcomes of the steps that failed."""
        return [outcome for outcome in self.outcomes.values() if outcome.state == "failed"]


def run(
    plan: Plan,
    store: Store,
    runtime: Runtime,
    progress: Progress,
    *,
    command: str = "",
    show: Show | None = None,
) -> FinishedRun:
    """Run the steps that the store does not have yet, each after the steps that it needs.

    `show` is called with an unfinished RESULT after each task that is finished before the run is, in a thread of its own.
    """
    engine = engines.find(runtime.engine)
    runner = Runner(store=store, runtime=runtime, steps={step.id: step for step in plan.steps})
    todo, goal = missing(plan, store), plan.steps[-1]
    going = Going(plan, todo, runner, progress, show, command)
    outcomes = going.outcomes
    with going:
        for step in todo:
            if step.lane is None and not find(step.kind).TOLERANT:
                going.run(step, runner)
        lanes = [step for step in todo if step.lane is not None]
        for step in _doomed(lanes, outcomes):
            going.record(step, _skipped(step, runner.steps, outcomes))
        able = _models_last(plan, [step for step in lanes if step.id not in outcomes])
        for step, outcome in engine(Schedule(able), runner, progress) if able else ():
            failed = outcome.state == "failed"
            going.record(step, replace(outcome, log=log_of(step, store)) if failed else outcome)
            for other in _doomed(able, outcomes):
                going.record(other, _skipped(other, runner.steps, outcomes))
    if runner.loaded is not None:  # a model that was opened in this process
        runner.loaded.close()
    if goal in todo:
        runner.run = RunRecord(command=command, outcomes=outcomes)
        going.run(goal, runner)
    report = store.done(goal.id) if store.has(goal.id) else runner.shown.get(goal.id)
    return FinishedRun(outcomes=outcomes, report=report)


def _models_last(plan: Plan, steps: Iterable[Step]) -> list[Step]:
    """Return the steps with those first that need no model: no task is finished before its trivial rules are scored."""
    models = {model.name for model in plan.suite.models}
    return sorted(steps, key=lambda step: step.lane in models)


def _doomed(steps: Iterable[Step], outcomes: Mapping[str, Outcome]) -> list[Step]:
    """Return the steps that cannot run because a step that they need has failed."""
    lost = {step for step, outcome in list(outcomes.items()) if outcome.state in ("failed", "skipped")}
    found = []
    for step in steps:
        if step.id not in outcomes and lost.intersection(step.needs):
            found.append(step)
            lost.add(step.id)
    return found


def _skipped(step: Step, steps: Mapping[str, Step], outcomes: Mapping[str, Outcome]) -> Outcome:
    lost = [need for need in step.needs if need in outcomes and outcomes[need].state in ("failed", "skipped")]
    return Outcome(
        step=step.id, state="skipped", reason=f"needs '{steps[lost[0]].label}', which has no result"
    )
