"""Run a suite: plan it, do the missing steps, publish the RESULT. `harness run` and `harness.run` both call this."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from harness import text as words
from harness.commands import delivery
from harness.commands.asked import RunRequest, check_engine, drawn_up, runtime_for
from harness.commands.course import Course
from harness.commands.delivery import Delivered
from harness.commands.live import foretell, shower
from harness.commands.progress import View
from harness.commands.runs import recorded
from harness.files import devices
from harness.plan.plan import not_applicable, untrained
from harness.run.repair import claimed, missing, put_damaged_aside
from harness.run.run import FinishedRun
from harness.run.run import run as run_plan
from harness.run.steps import ADAPTER
from harness.run.store import Store, open_store
from harness.types import Plan

NAMED = 4  # adapters whose folders are printed after a run


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """A run that came to its end, and where its RESULT was published."""

    plan: Plan
    finished: FinishedRun
    delivered: Delivered | None  # None: not even the report could be made
    store: Store
    shown: frozenset[str] = frozenset()  # tasks whose tables were printed while the run went on

    @property
    def complete(self) -> bool:
        """Return whether every step has a result and the pages are drawn."""
        delivered = self.delivered
        return (
            not self.finished.failed and delivered is not None and not delivered.partial and delivered.drawn
        )

    def adapters(self) -> Iterator[str]:
        """Yield a line with the folder of each adapter that was trained, at most NAMED of them."""
        trained = [step for step in self.plan.steps if step.kind == "train" and self.store.has(step.id)]
        for step in trained[:NAMED]:
            folder = self.store.done(step.id) / ADAPTER
            shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
            yield f"adapter {shown} ({step.label.removeprefix('train ')}); copy the folder to keep it"
        if len(trained) > NAMED:
            yield f"and {words.plural(len(trained) - NAMED, 'more adapter')}: the report names their folders"

    def failures(self) -> Iterator[str]:
        """Yield a line for each step that failed or was skipped."""
        return _failures(self.finished, self.plan)


def run(
    request: RunRequest,
    watching: Callable[[Course], AbstractContextManager[View]],  # is called with the course of the run
    warn: Callable[[str], None],  # is called with each line that the user should read before the run
) -> PublishedRun:
    """Run a suite and publish its RESULT; raise HarnessError where it cannot run as asked."""
    devices.refuse_absent(request.device)
    check_engine(request.engine, request.suite)
    store = open_store(request.store)
    plan = drawn_up(request, store)
    settings = runtime_for(plan, request.device, request.workers, request.offline, request.allow_remote_code)
    out = request.out or Path("reports/out") / plan.suite.name
    delivery.refuse(out, store)
    with claimed(plan, store):  # until the report is copied
        damaged, todo = put_damaged_aside(plan, store), missing(plan, store)
        for line in (
            *untrained(plan),
            *not_applicable(plan),
            *plan.unjudged,
            *(_unread(plan, offline=request.offline) if todo else ()),
            *damaged,
        ):
            warn(line)
        runtime = replace(settings, engine=request.engine)
        course, shown = Course(todo, runtime.workers), set[str]()
        with watching(course) as watch, recorded(course, plan.suite.name, out, store):
            if watch.console is not None:
                foretell(course, plan, store, runtime)
            show = shower(out, store, watch.console, shown)
            finished = run_plan(plan, store, runtime, watch, command=request.command, show=show)
        try:
            delivered = None if finished.report is None else delivery.deliver(finished.report, out, store)
        except BaseException:  # the RESULT would have named the steps that failed
            for line in _failures(finished, plan):
                warn(line)
            raise
    return PublishedRun(
        plan=plan, finished=finished, delivered=delivered, store=store, shown=frozenset(shown)
    )


def _unread(plan: Plan, *, offline: bool) -> Iterator[str]:
    """Yield the lines of `unread`, which loads all metrics: a run that has nothing to do needs none."""
    from harness.commands.check import unread

    yield from unread(plan, offline=offline)


def _failures(finished: FinishedRun, plan: Plan) -> Iterator[str]:
    labels = {step.id: step.label for step in plan.steps}
    for outcome in finished.outcomes.values():
        if outcome.state in ("failed", "skipped"):
            log = f"; log: {outcome.log}" if outcome.log else ""
            yield f"{outcome.state}: {labels[outcome.step]}: {outcome.reason}{log}"
