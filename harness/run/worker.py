"""Start worker processes: each runs one step after another, prints to the steps' logs, and ends with its parent."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import ModuleType

from harness.run.counting import LOADING
from harness.run.engines import StepRunner
from harness.types import Step

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)  # read when a worker's libraries load
PROGRESS_SECONDS = 0.1  # the shortest time between two messages about a step's progress


def start_worker(runner: StepRunner) -> tuple[BaseProcess, Connection]:
    """Start a worker; return its process, and the connection that steps are sent over.

    The worker sends (done, total, doing) while a step runs and an Outcome when the step ends. It ends when the
    connection closes.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, runner), daemon=True)
    with _environment(dict.fromkeys(THREADS, str(runner.runtime.threads))), _without_main():
        process.start()
    theirs.close()
    return process, ours


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that start in the block; this process keeps its own afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main program from the processes that start in the block.

    A spawned process would import the main program, which for a plain script means to run it again. Workers need nothing
    of it: their work is sent to them by the names of modules.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(connection: Connection, runner: StepRunner) -> None:
    """Run step after step until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    Thread(target=_end_with_parent, daemon=True).start()
    last = 0.0

    def count(done: int, total: int, doing: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or doing == LOADING or now - last > PROGRESS_SECONDS:
            connection.send((done, total, doing))
            last = now

    while True:
        try:
            step: Step = connection.recv()
        except EOFError:
            return
        _print_to(runner.log(step))
        connection.send(runner(step, count))


def _end_with_parent() -> None:
    """End this process when its parent ends: else its result would be lost, and its step's lease would be kept."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _print_to(log: Path) -> None:
    """Redirect what libraries print to the step's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:  # on a full disk, where a finished step can still be read and a failure still be reported
        handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
