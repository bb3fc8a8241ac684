"""Say what a run would do with each step of a plan, without running it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.commands.asked import RunRequest, check_engine, digests, drawn_up, runtime_for
from harness.commands.check import unread
from harness.files.hardware import machine
from harness.plan import fits, outlook, wording
from harness.plan.estimates import Estimates, estimate
from harness.plan.plan import not_applicable, untrained
from harness.run.repair import missing
from harness.run.steps import answers_left
from harness.run.store import Store, open_store, relatives
from harness.suite.load import place
from harness.types import Plan, Step

TO_DO = "to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A plan, and what a run would do with each of its steps."""

    plan: Plan
    states: Mapping[str, str]  # id of a step -> "kept", "not needed", or "to do; WHY"
    estimates: Estimates  # of time and memory, for a run on this machine
    remarks: tuple[str, ...] = ()  # what the user should read before the run

    @property
    def to_do(self) -> tuple[Step, ...]:
        """Return the steps that a run would do."""
        return tuple(step for step in self.plan.steps if self.states[step.id].startswith(TO_DO))

    def __str__(self) -> str:
        """Return a line for each step, and how many are to do."""
        lines = (f"{step.id}  {step.label}: {self.states[step.id]}" for step in self.plan.steps)
        return "\n".join([*lines, f"{len(self.to_do)} of {len(self.plan.steps)} steps to do"])


def dry_run(request: RunRequest, earlier: Path | None = None) -> DryRun:
    """Return what a run would do; raise HarnessError where it could not run as asked.

    `earlier` is a RESULT from which the chance is estimated that gates pass; None: the one at reports/out/SUITE.
    """
    check_engine(request.engine, request.suite)
    store = open_store(request.store)
    plan = drawn_up(request, store)
    if request.only is None:  # a part may lack what a gate names
        outlook.refuse(plan, at=place(request.suite))
    runtime = runtime_for(plan, request.device, request.workers, request.offline, request.allow_remote_code)
    return DryRun(
        plan=plan,
        states=states(plan, store),
        estimates=estimate(plan, store, replace(runtime, engine=request.engine), machine()),
        remarks=tuple(_remarks(plan, store, request.offline, earlier)),
    )


def _remarks(plan: Plan, store: Store, offline: bool, earlier: Path | None) -> Iterator[str]:
    yield from untrained(plan)
    yield from not_applicable(plan)
    yield from wording.voting(plan)
    yield from wording.own_words(plan)
    yield from wording.few_steps(plan, {})
    yield from wording.stages(plan)
    yield from wording.halving(plan)
    yield from plan.unjudged
    yield from unread(plan, offline=offline)
    yield from fits.lines(plan, cache=digests(store.root).with_name(fits.COUNTS), offline=offline)
    yield from outlook.outlook(plan, earlier)


def states(plan: Plan, store: Store) -> dict[str, str]:
    """Return the state of each step, by its id."""
    todo = {step.id for step in missing(plan, store)}
    return {
        step.id: _why(step, store) if step.id in todo else "kept" if store.has(step.id) else "not needed"
        for step in plan.steps
    }


def _why(step: Step, store: Store) -> str:
    if (answers := answers_left(store.work(step.id))) is not None:
        return f"{TO_DO}; {answers} answers are left of an interrupted run"
    if store.work(step.id).is_dir():
        return f"{TO_DO}; continues an interrupted run"
    if relatives(store, step.lineage):
        return f"{TO_DO}; continues a run with another limit"
    return f"{TO_DO}; not in the store"
