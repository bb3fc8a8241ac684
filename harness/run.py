"""Fills a store with what a plan still misses.

The engine runs the steps that share a base model; light steps run in this process. A failed step takes along only
what needs it: the report is written over what there is.
"""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from harness import hardware, plugins
from harness.errors import HarnessError
from harness.records import to_json, write_json
from harness.steps import Bench, RunRecord, Slot
from harness.store import Busy, Store, finish, lease, relatives
from harness.types import Outcome, Plan, Runtime, Step

BUSY_SECONDS = 0.5  # between two looks at a step that another process has
TOLERANT = ("compare", "report")  # steps that work with what there is

Progress = Callable[[int, int], None]


class Watch(Protocol):
    """Somebody who looks on."""

    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int) -> None: ...
    def ended(self, step: Step, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class Performer:
    """Does one step after another, keeping a base model in memory between them; travels to a worker before it starts."""

    store: Store
    runtime: Runtime
    steps: Mapping[str, Step]
    run: RunRecord | None = None
    slot: Slot | None = None

    def __call__(self, step: Step, progress: Progress) -> Outcome:
        """Never raises but to end the process: a failure is an outcome."""
        if self.store.has(step.id):
            return Outcome(step=step.id, state="kept")
        started = time.perf_counter()
        try:
            with lease(self.store, step.id) as folder:  # until it is finished: another would begin it anew
                if self.store.has(step.id):
                    return Outcome(step=step.id, state="kept")
                with hardware.PeakMemory() as peak:
                    plugins.find("steps", step.kind).run(step.spec, self._bench(step, folder, progress))
                seconds = time.perf_counter() - started
                record = self._record(step, seconds, peak.bytes)
                if self._whole(step):
                    finish(self.store, step.id, record, step.lineage)
                else:
                    write_json(folder / "step.json", record)
            return Outcome(step=step.id, state="done", seconds=seconds, peak_bytes=peak.bytes)
        except Busy:
            return Outcome(step=step.id, state="busy")
        except Exception as error:
            return self._failed(step, error, time.perf_counter() - started)

    def _bench(self, step: Step, folder: Path, progress: Progress) -> Bench:
        self.slot = self.slot or Slot(self.runtime)
        return Bench(
            folder=folder,
            needs=tuple((need, self._folder(need)) for need in step.needs),
            labels=tuple((self.steps[need].kind, self.steps[need].label) for need in step.needs),
            runtime=self.runtime,
            slot=self.slot,
            relatives=tuple(relatives(self.store, step.lineage)),
            run=self.run,
            progress=progress,
        )

    def _folder(self, need: str) -> Path:
        """Where a need's results are: also of a step over what there is, which is not kept."""
        shown = self.run is not None and need in self.run.outcomes and self.run.outcomes[need].state == "done"
        return self.store.work(need) if shown and not self.store.has(need) else self.store.done(need)

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
        log = self.store.log(step.id)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
        reason = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        return Outcome(step=step.id, state="failed", seconds=seconds, reason=reason, log=str(log))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run came to."""

    outcomes: Mapping[str, Outcome]
    report: Path | None  # the folder with the report's files; None where even that failed

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes.values() if one.state == "failed"]


def missing(plan: Plan, store: Store) -> list[Step]:
    """Steps that have to run: not finished, and needed by something that has to run. The last step is the goal."""
    by_id = {step.id: step for step in plan.steps}
    wanted: set[str] = set()
    ahead = [plan.steps[-1].id]
    while ahead:
        step = ahead.pop()
        if step not in wanted and not store.has(step):
            wanted.add(step)
            ahead += by_id[step].needs
    return [step for step in plan.steps if step.id in wanted]


def run(
    plan: Plan, store: Store, runtime: Runtime, watch: Watch, *, engine: str = "local", command: str = ""
) -> Run:
    """Runs what is missing, in the order of needs."""
    outcomes: dict[str, Outcome] = {}
    performer = Performer(store=store, runtime=runtime, steps={step.id: step for step in plan.steps})
    todo = missing(plan, store)

    def record(step: Step, outcome: Outcome) -> None:
        outcomes[step.id] = outcome
        watch.ended(step, outcome)

    first = [step for step in todo if step.lane is None and step.kind not in TOLERANT]
    lanes = [step for step in todo if step.lane is not None]
    last = [step for step in todo if step.kind in TOLERANT]
    _in_process(first, performer, watch, record, outcomes)
    for step in _doomed(lanes, outcomes):
        record(step, _skipped(step, performer.steps, outcomes))
    able = [step for step in lanes if step.id not in outcomes]
    if able:
        for step, outcome in plugins.find("engines", engine).run(able, performer, watch):
            if outcome.state == "failed":
                outcome = replace(outcome, log=outcome.log or str(store.log(step.id)))
            record(step, outcome)
            for other in _doomed(able, outcomes):
                record(other, _skipped(other, performer.steps, outcomes))
    performer.run = RunRecord(command=command, outcomes=outcomes)
    _in_process(last, performer, watch, record, outcomes)
    goal = plan.steps[-1].id
    report = store.done(goal) if store.has(goal) else store.work(goal)
    return Run(outcomes=outcomes, report=report if (report / "result.json").is_file() else None)


def _in_process(
    steps: Iterable[Step],
    performer: Performer,
    watch: Watch,
    record: Callable[[Step, Outcome], None],
    outcomes: Mapping[str, Outcome],
) -> None:
    for step in steps:
        watch.started(step)
        progress = partial(watch.progress, step)
        while (outcome := performer(step, progress)).state == "busy":
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
