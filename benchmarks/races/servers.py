"""Requests to a server: many in flight against one at a time, and memory over many samples.

    python -m benchmarks.races.servers

The server is another process of this machine that answers after 100 ms, as one with a large model would, however many
ask. Each side answers samples of the same kind, in turn. Goal: with 32 requests in flight at least 25 times as many answers
as one at a time. Memory is this process's resident memory while it asks 100,000 samples of a server that answers at once, by
the same code as a step; the samples are made as they are asked.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import psutil

from benchmarks.lib.race import ROOT, Row, collect, goal, ratio, rounds, seconds, spread, write
from harness.backends import http
from harness.checkpoints.remembered import Remembered
from harness.types import Decode, Model, Prompt, Runtime, ServerSettings

AT_ONCE, DELAY, WANTED = 32, 0.1, 25.0
SAMPLES = 640
MANY, EVERY = 100_000, 10_000
FLAT = 2.0  # MB that memory may grow from the first tenth of the samples on
DECODE = Decode(max_new_tokens=16)
SERVE = """
import sys
from tests.servers.stub import Stub, serving
with serving(Stub(keep=False, seconds=float(sys.argv[1]))) as base:
    print(base, flush=True)
    sys.stdin.read()
"""


class Prompts(Sequence[Prompt]):
    """Samples that are made as they are asked."""

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, n):
        if n >= self.samples:
            raise IndexError
        return Prompt(sample_id=str(n), before="Sum up: ", input=f"Anna says {n}. " * 20, after="")


def asked(delay: float, at_once: int, count: int, every: int = 0) -> Row:
    """The time to answer some samples, and the memory after each part of them."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(delay)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    base = process.stdout.readline().strip()
    model = Model(name="m", uri=f"{base}#base", server=ServerSettings(at_once=at_once))
    backend = http.open_model(model, http.pin(model, "cpu", Remembered(), False), Runtime())
    memory, answers = [], 0
    started = time.perf_counter()
    for _ in backend.write(Prompts(count), DECODE, "keep-start", None):
        answers += 1
        if every and answers % every == 0:
            memory.append(psutil.Process().memory_info().rss / 1e6)
    taken = time.perf_counter() - started
    backend.close()
    process.stdin.close()
    process.wait(timeout=30)
    assert answers == count
    return {"seconds": taken / count, "memory": memory, "count": count}


def race() -> Row:
    one, many = partial(asked, DELAY, 1, SAMPLES // AT_ONCE), partial(asked, DELAY, AT_ONCE, SAMPLES)
    return {"rounds": rounds({"one": one, "many": many})}


def main() -> None:
    race_row, memory_row = collect(
        "servers", {"race": race, "memory": partial(asked, 0.0, AT_ONCE, MANY, EVERY)}
    )
    one, many = race_row["rounds"]["one"], race_row["rounds"]["many"]
    reached, memory = ratio(one, many), memory_row["memory"]
    grown = memory[-1] - memory[0]
    flat = "met" if grown <= FLAT else "missed"
    lines = [
        *(__doc__ or "").split("\n\n", 2)[2].strip().splitlines(),
        "",
        "| requests in flight | samples | ms an answer: median (lowest to highest) | times as fast | goal |",
        "|--:|--:|--:|--:|---|",
        f"| 1 | {SAMPLES // AT_ONCE} | {spread([1000 * value for value in seconds(one)], 1)} | | |",
        f"| {AT_ONCE} | {SAMPLES} | {spread([1000 * value for value in seconds(many)], 1)} | **{reached:.1f}×** | "
        f"{goal(reached, WANTED)} |",
        "",
        f"Memory over {MANY:,} samples, {AT_ONCE} in flight: {memory[0]:.1f} MB after {EVERY:,}, {memory[-1]:.1f} MB after "
        f"all, at most {max(b - a for a, b in pairwise(memory)):.1f} MB more in any {EVERY:,}; grown by {grown:.1f} MB, "
        f"goal {FLAT:g} MB {flat}. {1 / memory_row['seconds']:,.0f} answers a second, with the server on the same cores.",
    ]
    write("servers", "Asking a server", lines, ("httpx2",))


if __name__ == "__main__":
    main()
