"""Run steps in worker processes on this machine.

A lane is all steps that share a base model; a worker takes a lane and loads its base once. A worker without a lane of
its own takes steps of another lane. If a worker dies, only the step that it ran fails, after one more try.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from harness.run.counting import ELSEWHERE
from harness.run.engines import Progress, StepRunner
from harness.run.schedule import BUSY_SECONDS, Schedule
from harness.run.worker import start_worker
from harness.types import Outcome, Step

TRIES = 2


@dataclass(slots=True)
class Worker:
    """A worker process of this machine, and the step that it runs."""

    process: BaseProcess
    connection: Connection
    lane: str | None = None
    step: Step | None = None


def run(schedule: Schedule, runner: StepRunner, progress: Progress) -> Iterator[tuple[Step, Outcome]]:
    """Yield each step with its outcome, from workers; with zero workers, run the steps in this process."""
    if runner.runtime.workers == 0:
        yield from _run_here(schedule, runner, progress)
        return
    tries: Counter[str] = Counter()
    workers: list[Worker] = []
    try:
        while schedule.waiting or any(worker.step for worker in workers):
            _hire(workers, schedule, runner)
            _assign(workers, schedule, progress)
            for worker, outcome in _listen(workers, progress):
                step = worker.step
                assert step is not None
                worker.step = None
                if outcome is None:
                    workers.remove(worker)
                    outcome = _died(worker, step)
                    tries[step.id] += 1
                    if tries[step.id] < TRIES:
                        schedule.put_back(step)
                        continue
                if schedule.settle(step, outcome):
                    yield step, outcome
                else:
                    progress.progress(step, 0, 0, ELSEWHERE)
    finally:
        _dismiss(workers)


def _run_here(schedule: Schedule, runner: StepRunner, progress: Progress) -> Iterator[tuple[Step, Outcome]]:
    lane = None
    while schedule.waiting:
        step = schedule.take(lane)
        if step is None:
            time.sleep(BUSY_SECONDS)
            continue
        lane = step.lane
        progress.started(step)
        outcome = runner(step, partial(progress.progress, step))
        if schedule.settle(step, outcome):
            yield step, outcome
        else:
            progress.progress(step, 0, 0, ELSEWHERE)


def _hire(workers: list[Worker], schedule: Schedule, runner: StepRunner) -> None:
    """Start workers, at most as many as are allowed and as there are steps to do."""
    busy = sum(worker.step is not None for worker in workers)
    while len(workers) < min(runner.runtime.workers, len(schedule.waiting) + busy):
        workers.append(Worker(*start_worker(runner)))


def _assign(workers: list[Worker], schedule: Schedule, progress: Progress) -> None:
    """Give each idle worker a step, as long as there are steps that can start."""
    for worker in workers:
        if worker.step is not None:
            continue
        step = schedule.take(worker.lane, {other.lane for other in workers if other is not worker})
        if step is None:
            continue
        worker.lane, worker.step = step.lane, step
        progress.started(step)
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # the worker died while idle; _listen removes it
            worker.connection.send(step)


def _listen(workers: list[Worker], progress: Progress) -> Iterator[tuple[Worker, Outcome | None]]:
    """Yield workers with their outcomes, None for a worker that died in a step; remove workers that died while idle."""
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
            progress.progress(worker.step, *message)


def _died(worker: Worker, step: Step) -> Outcome:
    """Return the outcome of a step whose worker died `TRIES` times."""
    code = worker.process.exitcode or 0
    how = f"killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    hint = "; the usual cause is too little memory" if code == -signal.SIGKILL else ""
    return Outcome(
        step=step.id,
        state="failed",
        reason=f"worker {how} {'twice' if TRIES == 2 else f'{TRIES} times'}{hint}",
    )


def _dismiss(workers: list[Worker]) -> None:
    """End the workers: idle workers end when their connection closes; workers in a step are terminated."""
    for worker in workers:
        worker.connection.close()
        if worker.step is not None:
            worker.process.terminate()
    for worker in workers:
        worker.process.join(timeout=5)
        if worker.process.is_alive():
            worker.process.kill()
