"""A worker process: it starts quietly, runs one step after another, and ends with its parent."""

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from harness.run.engines import StepRunner
from harness.types import Step

PROGRESS_SECONDS = 0.1  # at most one message about a step's progress in so long


def start_worker(runner: StepRunner) -> tuple[BaseProcess, Connection]:
    """Start a worker; return its process, and the connection that takes steps.

    The connection gives (done, total) while a step runs and an Outcome when it ends. A worker ends when it is closed.
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    Thread(target=_end_with_parent, daemon=True).start()
    last = 0.0

    def count(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last > PROGRESS_SECONDS:
            connection.send((done, total))
            last = now

    while True:
        try:
            step: Step = connection.recv()
        except EOFError:
            return
        _print_to(runner.log(step))
        connection.send(runner(step, count))


def _end_with_parent() -> None:
    """End this process when its parent ends: nobody would take its result, and it would keep its step's lease."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _print_to(log: Path) -> None:
    """Let what libraries print go to the step's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:  # on a full disk a step may still be read, and its failure be told
        handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
