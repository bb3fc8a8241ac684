"""Answer requests in a sandbox's process, each within its time limit. Only the standard library is imported."""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

OUT_OF_MEMORY = 99  # the status to end with
MEMORY = 1 << 30  # bytes of addresses; Python and Jinja take 50 MB


def serve(answer: Callable[[dict[str, Any]], Any]) -> None:
    """Answer requests until the input ends; a signal ends the process if a request takes too long."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the parent handles it; when the parent ends, the input ends
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        while head := requests.read(8):
            request = json.loads(requests.read(int.from_bytes(head, "little")))
            signal.setitimer(signal.ITIMER_PROF, request["seconds"])
            content = json.dumps(answer(request)).encode()
            signal.setitimer(signal.ITIMER_PROF, 0)
            answers.write(len(content).to_bytes(8, "little") + content)
            answers.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
