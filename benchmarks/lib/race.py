"""What all races share: sides that are processes, rows that are kept one by one, and the page that is written at the end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from harness.files.hardware import machine

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".bench"
RESULTS = ROOT / "benchmarks" / "results"
PEERS = BENCH / "peers" / "bin" / "python"
OURS = Path(sys.executable)
ROUNDS = 3
Row = Mapping[str, Any]


class Side:
    """One contestant: a process that answers a line of JSON with a line of JSON."""

    def __init__(self, python: Path, script: str, *arguments: str, threads: int, device: str = "cpu") -> None:
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "BENCH_DEVICE": device,
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [str(python), str(ROOT / "benchmarks" / "peers" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(BENCH / f"{Path(script).stem}.log").open("a"),
            text=True,
            env=environment,
        )
        self._read()

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.process.stdin.close()
        self.process.wait(timeout=60)

    def run(self, **job: Any) -> dict[str, Any]:
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args!r} ended; its log is in {BENCH}")
        return json.loads(line)


def rounds(sides: Mapping[str, Callable[[], Row]], count: int = ROUNDS) -> dict[str, list[Row]]:
    """Every side in turn, so many times: A B A B A B, so that a drifting machine drifts for all."""
    found: dict[str, list[Row]] = {name: [] for name in sides}
    for _ in range(count):
        for name, go in sides.items():
            found[name].append(go())
            print(f"  {name}: {found[name][-1]['seconds']:.2f} s", file=sys.stderr, flush=True)
    return found


def seconds(runs: Sequence[Row]) -> list[float]:
    return [run["seconds"] for run in runs]


def ratio(slower: Sequence[Row], faster: Sequence[Row]) -> float:
    """The median of the rounds' own ratios."""
    return median(a / b for a, b in zip(seconds(slower), seconds(faster), strict=True))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, lowest and highest."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def kept(name: str) -> dict[str, Row]:
    """Rows that an earlier run finished, by their key."""
    path = BENCH / "rows" / f"{name}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {row["key"]: row for row in map(json.loads, lines)}


def keep(name: str, row: Row) -> None:
    path = BENCH / "rows" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def collect(name: str, makers: Mapping[str, Callable[[], Row]]) -> list[Row]:
    """The rows of a benchmark, those that are kept already and those that are made now."""
    rows = kept(name)
    for key, make in makers.items():
        if key not in rows:
            print(f"{name}: {key}", file=sys.stderr, flush=True)
            rows[key] = {"key": key, **make()}
            keep(name, rows[key])
    return [rows[key] for key in makers]


def goal(reached: float, wanted: float) -> str:
    return f"{wanted:g}× {'met' if reached >= wanted else 'missed'}"


def write(name: str, title: str, lines: Sequence[str], libraries: Sequence[str]) -> None:
    """Prints the page, and keeps it."""
    of = ", ".join(f"{library} {version(library)}" for library in libraries)
    head = [
        f"# {title}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {machine().memory_gb} GB; {of}.",
        "",
    ]
    text = "\n".join([*head, *lines]) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


def prompts(task: str, count: int) -> list[str]:
    path = BENCH / "data" / task / "test.jsonl"
    return [json.loads(line)["prompt"] for line in path.read_text(encoding="utf-8").splitlines()[:count]]
