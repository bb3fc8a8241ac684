"""Fills a store with what a plan still misses.

The engine runs the steps that share a base model; light steps run in this process. A failed step takes along only
what needs it: the report is written over what there is.
"""

import errno
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness import plugins
from harness.errors import HarnessError, StepError
from harness.files import hardware
from harness.files.json_lines import to_json
from harness.plugins.files import PluginFile
from harness.run import engines
from harness.run.engines import Count, Progress
from harness.run.intact import Inspector
from harness.run.lease import Busy, Lost
from harness.run.repair import missing, put_aside
from harness.run.schedule import Schedule
from harness.run.steps import Bench, RunRecord, Slot
from harness.run.store import Store, finish, lease, relatives, show
from harness.types import Outcome, Plan, Runtime, Step

FULL = (errno.ENOSPC, errno.EDQUOT)
BUSY_SECONDS = 0.5  # between two looks at a step that another process has
TOLERANT = ("compare", "report")  # steps that work with what there is


@dataclass(slots=True)
class Runner:
    """Does one step after another, keeping a base model in memory between them; travels to a worker before it starts."""

    store: Store
    runtime: Runtime
    steps: Mapping[str, Step]
    run: RunRecord | None = None
    slot: Slot | None = None
    inspector: Inspector = field(default_factory=Inspector)
    shown: dict[str, Path] = field(default_factory=dict)  # folders of steps over a part of what they need
    plugins: tuple[PluginFile, ...] = field(
        default_factory=plugins.used
    )  # of the suite, for workers to use too

    def __call__(self, step: Step, count: Count) -> Outcome:
        """Never raises but to end the process: a failure is an outcome."""
        plugins.use(self.plugins)
        if self.store.has(step.id):
            return Outcome(step=step.id, state="kept")
        started = time.perf_counter()
        try:
            with lease(self.store, step.id) as held:  # until it is finished: another would begin it anew
                if self.store.has(step.id):
                    return Outcome(step=step.id, state="kept")

                def on(done: int, total: int) -> None:
                    held.lease.check()
                    count(done, total)

                with hardware.PeakMemory() as peak:
                    plugins.find("steps", step.kind).run(step.spec, self._bench(step, held.folder, on))
                seconds = time.perf_counter() - started
                record = self._record(step, seconds, peak.bytes)
                if self._whole(step):
                    finish(held, record, step.lineage)
                else:
                    self.shown[step.id] = show(held, record)
            return Outcome(step=step.id, state="done", seconds=seconds, peak_bytes=peak.bytes)
        except Busy:
            return Outcome(step=step.id, state="busy")
        except Lost as error:  # another process does it, or has done it
            self._log(step, error)
            return Outcome(step=step.id, state="lost")
        except Exception as error:
            return self._failed(step, error, time.perf_counter() - started)

    def _bench(self, step: Step, folder: Path, count: Count) -> Bench:
        self.slot = self.slot or Slot(self.runtime)
        return Bench(
            folder=folder,
            needs=tuple((need, self._folder(need, step)) for need in step.needs),
            labels=tuple((self.steps[need].kind, self.steps[need].label) for need in step.needs),
            runtime=self.runtime,
            slot=self.slot,
            relatives=tuple(
                one for one in relatives(self.store, step.lineage) if self.inspector.damage(one) is None
            ),
            run=self.run,
            progress=count,
        )

    def log(self, step: Step) -> Path:
        """Return the step's log: what libraries print, and the traceback of a failure."""
        return self.store.log(step.id)

    def _folder(self, need: str, step: Step) -> Path:
        """Return where a need's results are, looked at: also of a step over what there is, which is not kept."""
        done, label = self.store.done(need), self.steps[need].label
        if self.store.has(need):
            if said := self.inspector.damage(done):
                line = put_aside(self.store, need, label, said)
                raise StepError(f"{line}; the same command does it again")
            return done
        if step.kind not in TOLERANT:
            raise StepError(f"needs '{label}', which is not in the store any more; the same command does it")
        return self.shown.get(need, done)

    def _whole(self, step: Step) -> bool:
        """A step over only a part of what it needs is shown but not kept."""
        return all(self.store.has(need) for need in step.needs)

    def _record(self, step: Step, seconds: float, peak_bytes: int) -> dict[str, Any]:
        return {
            "id": step.id,
            "kind": step.kind,
            "label": step.label,
            "spec": to_json(step.spec),
            "needs": step.needs,
            "seconds": seconds,
            "peak_bytes": peak_bytes,
            "hardware": str(hardware.machine()),
            "workers": self.runtime.workers,
            "threads": self.runtime.threads,
        }

    def _failed(self, step: Step, error: Exception, seconds: float) -> Outcome:
        self._log(step, error)
        reason, log = self._reason(error), _log_of(step, self.store)
        return Outcome(step=step.id, state="failed", seconds=seconds, reason=reason, log=log)

    def _reason(self, error: Exception) -> str:
        if isinstance(error, HarnessError):
            return str(error)
        if isinstance(error, OSError) and error.errno in FULL:
            return f"{self.store.root}: {error.strerror}; make room and run again: what is finished is kept"
        return f"{type(error).__name__}: {error}"

    def _log(self, step: Step, error: Exception) -> None:
        with (
            suppress(OSError),  # on a full disk: the outcome says it too
            self.log(step).open("a", encoding="utf-8", errors="backslashreplace") as file,
        ):
            traceback.print_exception(error, file=file)


def _log_of(step: Step, store: Store) -> str:
    """Return where more is said of a failure; nowhere, where a full disk left no room for it."""
    log = store.log(step.id)
    return str(log) if log.is_file() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run came to."""

    outcomes: Mapping[str, Outcome]
    report: Path | None  # the folder with the report's files; None where even that failed

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes.values() if one.state == "failed"]


def run(plan: Plan, store: Store, runtime: Runtime, progress: Progress, *, command: str = "") -> Run:
    """Run what is missing, in the order of needs."""
    engine = engines.find(runtime.engine)
    outcomes: dict[str, Outcome] = {}
    runner = Runner(store=store, runtime=runtime, steps={step.id: step for step in plan.steps})
    todo = missing(plan, store)

    def record(step: Step, outcome: Outcome) -> None:
        outcomes[step.id] = outcome
        progress.ended(step, outcome)

    first = [step for step in todo if step.lane is None and step.kind not in TOLERANT]
    lanes = [step for step in todo if step.lane is not None]
    last = [step for step in todo if step.kind in TOLERANT]
    _in_process(first, runner, progress, record, outcomes)
    for step in _doomed(lanes, outcomes):
        record(step, _skipped(step, runner.steps, outcomes))
    able = [step for step in lanes if step.id not in outcomes]
    if able:
        for step, outcome in engine(Schedule(able), runner, progress):
            if outcome.state == "failed":
                outcome = replace(outcome, log=_log_of(step, store))
            record(step, outcome)
            for other in _doomed(able, outcomes):
                record(other, _skipped(other, runner.steps, outcomes))
    runner.run = RunRecord(command=command, outcomes=outcomes)
    _in_process(last, runner, progress, record, outcomes)
    goal = plan.steps[-1].id
    report = store.done(goal) if store.has(goal) else runner.shown.get(goal)
    return Run(outcomes=outcomes, report=report)


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
    """Steps that cannot run because something they need has failed."""
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
