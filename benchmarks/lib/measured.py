"""One command of the harness, measured from outside: seconds, processor seconds, and memory of all its processes."""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.lib.race import BENCH

LOOK_SECONDS = 0.05  # between two looks at the processes' memory


def run(
    words: Sequence[str], folder: Path, codes: Sequence[int] = (0,), **environment: str
) -> dict[str, Any]:
    """`harness WORDS` in a folder; a command that ends with another code ends the benchmark."""
    log = BENCH / "harness.log"
    log.parent.mkdir(exist_ok=True)
    started = time.perf_counter()
    with log.open("w", encoding="utf-8") as file:
        process = psutil.Popen(
            [sys.executable, "-m", "harness", *words],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=file,
            stderr=file,
        )
        watch = _Watch(process)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    together = watch.stop()
    if process.returncode not in codes:
        raise SystemExit(f"harness {' '.join(words)} ended with {process.returncode}; its output is in {log}")
    return {
        "seconds": seconds,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "largest_megabytes": usage.ru_maxrss
        * 1024
        / 1e6,  # of the largest process; Linux counts in kilobytes
        "together_megabytes": together / 1e6,
    }


def step_seconds(store: Path) -> dict[str, float]:
    """Seconds of a store's steps, by their kind, as they measured themselves."""
    found: dict[str, float] = defaultdict(float)
    for path in store.glob("done/*/step.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["kind"]] += record["seconds"]
    return dict(found)


class _Watch:
    """Looks on at the memory of a process and its children."""

    def __init__(self, process: psutil.Popen) -> None:
        self._process, self._most, self._over = process, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            together = 0
            try:
                for one in (self._process, *self._process.children(recursive=True)):
                    together += one.memory_info().rss
            except psutil.Error:
                continue  # one of them has just ended
            self._most = max(self._most, together)

    def stop(self) -> int:
        """The most bytes that all of them held at a time."""
        self._over.set()
        self._thread.join()
        return self._most
