"""Run the steps of a plan that its store does not have yet.

The engine runs the steps that use a base model; light steps run in this process. When a step fails, only the steps that
need its result are skipped: the report is written over the rest.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.run import engines
from harness.run.engines import Progress
from harness.run.repair import missing
from harness.run.runner import Runner, log_of
from harness.run.schedule import Schedule
from harness.run.steps import RunRecord, find
from harness.run.store import Store
from harness.types import Outcome, Plan, Runtime, Step

BUSY_SECONDS = 0.5  # between two attempts to run a step that another process has


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """How each step of a run ended, and where its report is."""

    outcomes: Mapping[str, Outcome]
    report: Path | None  # the folder with the RESULT's data; None where even that failed

    @property
    def failed(self) -> list[Outcome]:
        """Return the outcomes of the steps that failed."""
        return [outcome for outcome in self.outcomes.values() if outcome.state == "failed"]


def run(plan: Plan, store: Store, runtime: Runtime, progress: Progress, *, command: str = "") -> FinishedRun:
    """Run the steps that the store does not have yet, each after the steps that it needs."""
    engine = engines.find(runtime.engine)
    outcomes: dict[str, Outcome] = {}
    runner = Runner(store=store, runtime=runtime, steps={step.id: step for step in plan.steps})
    todo = missing(plan, store)

    def tolerant(step: Step) -> bool:
        return find(step.kind).TOLERANT

    def record(step: Step, outcome: Outcome) -> None:
        outcomes[step.id] = outcome
        progress.ended(step, outcome)

    first = [step for step in todo if step.lane is None and not tolerant(step)]
    lanes = [step for step in todo if step.lane is not None]
    last = [step for step in todo if tolerant(step)]
    _in_process(first, runner, progress, record, outcomes)
    for step in _doomed(lanes, outcomes):
        record(step, _skipped(step, runner.steps, outcomes))
    able = [step for step in lanes if step.id not in outcomes]
    if able:
        for step, outcome in engine(Schedule(able), runner, progress):
            if outcome.state == "failed":
                outcome = replace(outcome, log=log_of(step, store))
            record(step, outcome)
            for other in _doomed(able, outcomes):
                record(other, _skipped(other, runner.steps, outcomes))
    runner.run = RunRecord(command=command, outcomes=outcomes)
    _in_process(last, runner, progress, record, outcomes)
    goal = plan.steps[-1].id
    report = store.done(goal) if store.has(goal) else runner.shown.get(goal)
    return FinishedRun(outcomes=outcomes, report=report)


def _in_process(
    steps: Iterable[Step],
    runner: Runner,
    progress: Progress,
    record: Callable[[Step, Outcome], None],
    outcomes: Mapping[str, Outcome],
) -> None:
    for step in steps:
        progress.started(step)
        count = partial(progress.progress, step)
        while (outcome := runner(step, count)).state in ("busy", "lost"):
            time.sleep(BUSY_SECONDS)
        record(step, outcome)


def _doomed(steps: Iterable[Step], outcomes: Mapping[str, Outcome]) -> list[Step]:
    """Return the steps that cannot run because a step that they need has failed."""
    lost = {step for step, outcome in outcomes.items() if outcome.state in ("failed", "skipped")}
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
