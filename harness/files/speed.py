"""The speed of this machine's processors, measured once by numpy in a second: what estimates of time start from.

    python -m harness.files.speed      prints the speed as JSON

A process of its own, since numpy's library reads the number of threads when it is loaded.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.files.hardware import machine
from harness.files.json_lines import read_json, write_json

FILE = "speed.json"  # name of the file that keeps the speeds of machines, beside a store's digests
RULES = 2  # raised when the way of measuring changes
THIN, NARROW, WIDE = 16, 128, 1024  # sides of the matrices whose products are timed
ROWS = 2048  # tokens
STREAM = 1 << 24  # bytes that are copied: more than most caches have
SECONDS, TRIES = 0.15, 4  # of each measurement, at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """The speed of a number of threads of a machine."""

    thin: float  # floating-point operations a second in float32 products with matrices of NARROW × THIN
    narrow: float  # the same with matrices of NARROW²
    wide: float  # the same with matrices of WIDE²
    stream: float  # bytes a second that elementwise work reads and writes
    call: float  # seconds of a call of numpy on few numbers


def speed(threads: int, path: Path) -> Speed:
    """Return the speed of this machine, measured where the file does not have it yet."""
    name = name_of(threads)
    known = _kept(path)
    with suppress(KeyError, TypeError):  # of another version, or changed by hand
        return Speed(**known[name])
    found = _measured(threads)
    with suppress(OSError):  # it can be measured again
        write_json(path, {**known, name: asdict(found)})
    return found


def _kept(path: Path) -> dict[str, Any]:
    """Return the speeds in a file; none where there is no file or it cannot be read."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def name_of(threads: int) -> str:
    """Return the name of this machine with a number of threads, under which its speed is kept."""
    return f"{machine().cores} cores of {machine().cpu}, {threads} threads, v{RULES}"


def _measured(threads: int) -> Speed:
    """Return the speed of one process while as many others work as the processors can take: a run has that many workers.

    Two processors that share a core (hyper-threads) are each slower while both work.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "harness.files.speed"],
            env=os.environ | dict.fromkeys(names, str(threads)),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C ends the run, and not this with a traceback
        )
        for _ in range(max(1, machine().cores // threads))
    ]
    said = [process.communicate()[0] for process in processes]
    if failed := next((process for process in processes if process.returncode), None):
        raise subprocess.CalledProcessError(failed.returncode, failed.args)
    found = [json.loads(text) for text in said]
    return Speed(**{name: fmean(each[name] for each in found) for name in found[0]})


def measure() -> Speed:
    """Measure this process's speed: the best of several tries, since other programs only ever slow it down."""
    import numpy as np

    def flops(side: int, columns: int) -> float:
        x, w = np.ones((ROWS, side), np.float32), np.ones((side, columns), np.float32)
        out = np.empty((ROWS, columns), np.float32)
        return 2 * ROWS * side * columns / _best(lambda: np.matmul(x, w, out=out))

    many, others = np.ones(STREAM // 4, np.float32), np.ones(STREAM // 4, np.float32)
    few = np.ones(8, np.float32)
    return Speed(
        thin=flops(NARROW, THIN),
        narrow=flops(NARROW, NARROW),
        wide=flops(WIDE, WIDE),
        stream=3 * STREAM / _best(lambda: np.multiply(many, 0.5, out=others)),  # writing reads the line first
        call=_best(lambda: [np.add(few, few) for _ in range(1000)]) / 1000,
    )


def _best(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest try, of this thread's own work: waiting for a processor does not count."""
    work()
    best, began, tries = float("inf"), time.thread_time(), 0
    while tries < TRIES or time.thread_time() - began < SECONDS:
        started = time.thread_time()
        work()
        best, tries = min(best, time.thread_time() - started), tries + 1
    return best


if __name__ == "__main__":
    print(json.dumps(asdict(measure())))
