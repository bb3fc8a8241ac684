"""Start worker processes: each runs one step after another, prints to the steps' logs, and ends with its parent."""

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from harness.run.counting import LOADING
from harness.run.engines import StepRunner
from harness.types import Step

PROGRESS_SECONDS = 0.1  # the shortest time between two messages about a step's progress


def start_worker(runner: StepRunner) -> tuple[BaseProcess, Connection]:
    """Start a worker; return its process, and the connection that steps are sent over.

    The worker sends (done, total, doing) while a step runs and an Outcome when the step ends. It ends when the
    connection closes.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, runner), daemon=True)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(runner.runtime.threads)  # read by the child when its libraries load
    process.start()
    theirs.close()
    return process, ours


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
