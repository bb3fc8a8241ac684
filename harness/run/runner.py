"""Run one step after another, in this process or in a worker."""

import errno
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import plugins
from harness.errors import HarnessError, StepError
from harness.files import hardware
from harness.files.json_lines import to_json
from harness.plugins.files import PluginFile
from harness.run.counting import Count
from harness.run.intact import Inspector
from harness.run.lease import Busy, Lost
from harness.run.repair import put_aside
from harness.run.steps import ModelInMemory, RunRecord, StepContext, find
from harness.run.store import Store, finish, lease, relatives, show
from harness.types import Outcome, Runtime, Step

FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(slots=True)
class Runner:
    """Runs one step after another, and keeps a base model in memory between them; pickled to each worker once."""

    store: Store
    runtime: Runtime
    steps: Mapping[str, Step]
    run: RunRecord | None = None
    loaded: ModelInMemory | None = None
    inspector: Inspector = field(default_factory=Inspector)
    shown: dict[str, Path] = field(
        default_factory=dict
    )  # step -> its folder, if some of the steps that it needs failed
    # Plug-ins that are files of the user's own project, for workers to use too.
    plugins: tuple[PluginFile, ...] = field(default_factory=plugins.used)

    def __call__(self, step: Step, count: Count) -> Outcome:
        """Run a step if it is not finished; a failure is an outcome, and is never raised."""
        plugins.use(self.plugins)
        if self.store.has(step.id):
            return Outcome(step=step.id, state="kept")
        started = time.perf_counter()
        try:
            with lease(
                self.store, step.id
            ) as held:  # until it is finished: another process would start it again
                if self.store.has(step.id):
                    return Outcome(step=step.id, state="kept")

                def on(done: int, total: int, doing: str = "") -> None:
                    held.lease.check()
                    count(done, total, doing)

                with hardware.PeakMemory() as peak:
                    find(step.kind).run(step.spec, self._context(step, held.folder, on))
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

    def _context(self, step: Step, folder: Path, count: Count) -> StepContext:
        self.loaded = self.loaded or ModelInMemory(self.runtime)
        return StepContext(
            folder=folder,
            needs=tuple((need, self._folder(need, step)) for need in step.needs),
            labels=tuple((self.steps[need].kind, self.steps[need].label) for need in step.needs),
            runtime=self.runtime,
            loaded=self.loaded,
            shorter_runs=tuple(
                folder
                for folder in relatives(self.store, step.lineage)
                if self.inspector.damage(folder) is None
            ),
            spectra=self.store.findings,
            run=self.run,
            progress=count,
        )

    def log(self, step: Step) -> Path:
        """Return the step's log: what libraries print, and the traceback of a failure."""
        return self.store.log(step.id)

    def _folder(self, need: str, step: Step) -> Path:
        """Return the folder of a needed step, once it is checked for damage; also of a step whose result is not kept."""
        done, label = self.store.done(need), self.steps[need].label
        if self.store.has(need):
            if fault := self.inspector.damage(done):
                line = put_aside(self.store, need, label, fault)
                raise StepError(f"{line}; run the same command again")
            return done
        if not find(step.kind).TOLERANT:
            raise StepError(
                f"needs '{label}', which is not in the store any more; run the same command again"
            )
        return self.shown.get(need, done)

    def _whole(self, step: Step) -> bool:
        """Return whether all needed steps finished; else the step's result is shown but not kept."""
        unfinished = self.run is not None and self.run.tasks is not None
        return not unfinished and all(self.store.has(need) for need in step.needs)

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
        reason, log = self._reason(error), log_of(step, self.store)
        return Outcome(step=step.id, state="failed", seconds=seconds, reason=reason, log=log)

    def _reason(self, error: Exception) -> str:
        if isinstance(error, HarnessError):
            return str(error)
        if isinstance(error, OSError) and error.errno in FULL:
            return f"{self.store.root}: {error.strerror}; make room and run the command again; finished steps are kept"
        return f"{type(error).__name__}: {error}"

    def _log(self, step: Step, error: Exception) -> None:
        with (
            suppress(OSError),  # on a full disk; the outcome says it as well
            self.log(step).open("a", encoding="utf-8", errors="backslashreplace") as file,
        ):
            traceback.print_exception(error, file=file)


def log_of(step: Step, store: Store) -> str:
    """Return the path of a step's log; an empty text if a full disk left no room for a log."""
    log = store.log(step.id)
    return str(log) if log.is_file() else ""
