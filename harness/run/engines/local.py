"""Runs lanes in worker processes on this machine.

A lane is all steps that share a base model; a worker takes a lane and loads its base once. A worker without a lane of
its own helps with another's. A worker that dies fails only the step it was in, which is tried once more.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

from harness.types import Outcome, Runtime, Step

TRIES = 2
PROGRESS_SECONDS = 0.1  # at most one message about a step's progress in so long
BUSY_SECONDS = 1.0

Progress = Callable[[int, int], None]


class Performer(Protocol):
    """What does a step: picklable, and sent to every worker once."""

    runtime: Runtime
    store: Any

    def __call__(self, step: Step, progress: Progress) -> Outcome: ...


class Watch(Protocol):
    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int) -> None: ...


@dataclass(slots=True)
class Worker:
    process: BaseProcess
    connection: Connection
    lane: str | None = None
    step: Step | None = None


@dataclass(slots=True)
class Queue:
    """Which steps wait, and which of them can start."""

    waiting: list[Step]
    ended: set[str] = field(default_factory=set)
    not_before: dict[str, float] = field(default_factory=dict)  # step -> monotonic seconds
    ours: frozenset[str] = frozenset()  # ids of all steps that this run has to do

    def __post_init__(self) -> None:
        self.ours = frozenset(step.id for step in self.waiting)

    def take(self, lane: str | None, taken: set[str | None]) -> Step | None:
        """The next step: of the worker's own lane, of a lane nobody has, or of any lane."""
        now = time.monotonic()
        ready = [s for s in self.waiting if self._ready(s) and self.not_before.get(s.id, 0.0) <= now]
        ready.sort(key=lambda step: 0 if step.lane == lane else 1 if step.lane not in taken else 2)
        if not ready:
            return None
        self.waiting.remove(ready[0])
        return ready[0]

    def _ready(self, step: Step) -> bool:
        return all(need in self.ended or need not in self.ours for need in step.needs)

    def settle(self, step: Step, outcome: Outcome) -> bool:
        """Takes an outcome in; False where another process has the step, which then waits for its next turn."""
        if outcome.state in ("busy", "lost"):
            self.not_before[step.id] = time.monotonic() + BUSY_SECONDS
            self.waiting.append(step)
            return False
        if outcome.state == "failed":
            self._drop_dependants(step.id)
        else:
            self.ended.add(step.id)
        return True

    def _drop_dependants(self, lost: str) -> None:
        """Leaves out what needs a step that has no result; the caller records them."""
        gone = {lost}
        for step in list(self.waiting):
            if gone.intersection(step.needs):
                gone.add(step.id)
                self.waiting.remove(step)


def run(steps: Sequence[Step], performer: Performer, watch: Watch) -> Iterator[tuple[Step, Outcome]]:
    """Each step's outcome as it comes. Steps whose needs fail are not run and not yielded."""
    queue = Queue(list(steps))
    if performer.runtime.workers == 0:
        yield from _run_here(queue, performer, watch)
        return
    tries: Counter[str] = Counter()
    workers: list[Worker] = []
    try:
        while queue.waiting or any(worker.step for worker in workers):
            _hire(workers, queue, performer)
            _assign(workers, queue, watch)
            for worker, outcome in _listen(workers, watch):
                step = worker.step
                assert step is not None
                worker.step = None
                if outcome is None:
                    workers.remove(worker)
                    outcome = _died(worker, step)
                    tries[step.id] += 1
                    if tries[step.id] < TRIES:
                        queue.waiting.insert(0, step)
                        continue
                if queue.settle(step, outcome):
                    yield step, outcome
    finally:
        _dismiss(workers)


def _run_here(queue: Queue, performer: Performer, watch: Watch) -> Iterator[tuple[Step, Outcome]]:
    lane = None
    while queue.waiting:
        step = queue.take(lane, set())
        if step is None:
            time.sleep(BUSY_SECONDS)
            continue
        lane = step.lane
        watch.started(step)
        outcome = performer(step, partial(watch.progress, step))
        if queue.settle(step, outcome):
            yield step, outcome


def _hire(workers: list[Worker], queue: Queue, performer: Performer) -> None:
    """Starts workers up to the number allowed, no more than there are steps to do."""
    busy = sum(worker.step is not None for worker in workers)
    while len(workers) < min(performer.runtime.workers, len(queue.waiting) + busy):
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, performer), daemon=True)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(performer.runtime.threads)  # read by the child when its libraries load
        process.start()
        theirs.close()
        workers.append(Worker(process, ours))


def _assign(workers: list[Worker], queue: Queue, watch: Watch) -> None:
    for worker in workers:
        if worker.step is not None:
            continue
        step = queue.take(worker.lane, {other.lane for other in workers if other is not worker})
        if step is None:
            continue
        worker.lane, worker.step = step.lane, step
        watch.started(step)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died while idle: _listen finds it
            worker.connection.send(step)


def _listen(workers: list[Worker], watch: Watch) -> Iterator[tuple[Worker, Outcome | None]]:
    """Outcomes of workers that have one, None for those that died in a step; idle dead ones are let go."""
    ready = wait([worker.connection for worker in workers], timeout=BUSY_SECONDS)
    for worker in [worker for worker in workers if worker.connection in ready]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            if worker.step is None:
                workers.remove(worker)
            else:
                yield worker, None
            continue
        if isinstance(message, Outcome):
            yield worker, message
        elif worker.step is not None:
            watch.progress(worker.step, *message)


def _died(worker: Worker, step: Step) -> Outcome:
    code = worker.process.exitcode or 0
    how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    hint = "; out of memory is the usual cause" if code == -signal.SIGKILL else ""
    return Outcome(step=step.id, state="failed", reason=f"its worker ended {how}, {TRIES} times{hint}")


def _dismiss(workers: list[Worker]) -> None:
    """Idle workers end when their connection closes; those in a step are stopped."""
    for worker in workers:
        worker.connection.close()
        if worker.step is not None:
            worker.process.terminate()
    for worker in workers:
        worker.process.join(timeout=5)
        if worker.process.is_alive():
            worker.process.kill()


def _work(connection: Connection, performer: Performer) -> None:
    """A worker's life: step after step until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    Thread(target=_end_with_parent, daemon=True).start()
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last > PROGRESS_SECONDS:
            connection.send((done, total))
            last = now

    while True:
        try:
            step = connection.recv()
        except EOFError:
            return
        _write_to(performer.store.log(step.id))
        connection.send(performer(step, progress))


def _end_with_parent() -> None:
    """A worker without a parent would hold its step's lease for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _write_to(log: Path) -> None:
    """What libraries print goes to the step's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:  # on a full disk a step may still be read, and its failure be told
        handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
