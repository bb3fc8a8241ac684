"""Run regular expressions and chat templates of unknown authors in a separate process, with limits on time and memory.

Within a process neither can be limited: a template may make a text of 10 GB in one expression, and a match checks no clock.
"""

import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.sandbox._loop import OUT_OF_MEMORY

ROOT = Path(__file__).parents[2]  # where the package harness lies
PASSED = ("PATH", "TZ", "LANG")  # variables of the environment that are passed on; tokens and keys are not
PASSED_PREFIXES = ("PYTHON", "LD_", "LC_")


class Exceeded(Exception):
    """A limit was exceeded; the message says which: "took more than 2 s"."""


class Sandbox:
    """A process that answers one request after the other; it ends when this process ends, in whatever way."""

    def __init__(self, program: ModuleType) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name in PASSED or name.startswith(PASSED_PREFIXES)
        }
        path = [str(ROOT), environment.get("PYTHONPATH")]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", program.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
        )
        self.owner = os.getpid()
        self.close = weakref.finalize(self, _end, self._process)

    def ask(self, request: Mapping[str, object], seconds: float) -> Any:
        """Return the answer; raise Exceeded if it takes more seconds of processor time, or too much memory.

        The process cannot be used after that. Only its own processor time counts, so a busy machine makes no difference.
        """
        content = json.dumps({"seconds": seconds, **request}).encode()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(len(content).to_bytes(8, "little") + content)
            self._process.stdin.flush()
            size = int.from_bytes(self._process.stdout.read(8), "little")
            found = self._process.stdout.read(size)
        except BrokenPipeError:
            size, found = 0, b""
        if not size or len(found) < size:
            self.close()
            raise Exceeded(_reason(self._process.returncode, seconds))
        return json.loads(found)


def _reason(status: int | None, seconds: float) -> str:
    if status == -signal.SIGPROF:
        return f"took more than {seconds:.2g} s"
    if status == OUT_OF_MEMORY:
        return "needed more than 1 GB of memory"
    return f"ended with status {status}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(timeout=0.2)  # the process ends at the end of its input, unless it is busy
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
