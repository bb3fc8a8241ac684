"""Where the quickstart's time goes: a first run into an empty store, by step, and a second run over the full one.

    python -m benchmarks.races.quickstart [SUITE]

Writes benchmarks/results/SUITE.md.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from harness.files.hardware import machine

RESULTS = Path(__file__).parents[1] / "results"


def timed(command: list[str]) -> float:
    """Seconds from start to end of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(suite: str = "quickstart") -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        harness = [
            sys.executable,
            "-m",
            "harness",
            "run",
            suite,
            "--store",
            f"{folder}/store",
            "--out",
            str(out),
        ]
        first = timed(harness)
        peak_megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        second = timed(harness)
        result = json.loads((out / "result.json").read_text())
        records = [json.loads(path.read_text()) for path in Path(folder).glob("store/done/*/step.json")]
    text = table(suite, first, second, peak_megabytes, result, records)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{suite}.md").write_text(text + "\n", encoding="utf-8")


def table(
    suite: str, first: float, second: float, peak_megabytes: float, result: dict, records: list[dict]
) -> str:
    manifest = result["manifest"]
    seconds: dict[str, list[float]] = defaultdict(list)
    for record in records:
        seconds[record["kind"]].append(record["seconds"])
    busy = sum(map(sum, seconds.values()))
    largest = max(record["peak_bytes"] for record in records) / 1e6
    lines = [
        f"# {suite}: where the time goes",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {machine().memory_gb} GB; workers "
        f"{manifest['runtime']['workers']}, threads {manifest['runtime']['threads']}; torch "
        f"{manifest['libraries']['torch']}, transformers {manifest['libraries']['transformers']}, peft "
        f"{manifest['libraries']['peft']}.",
        "",
        f"- first run, from an empty store: **{first:.1f} s**",
        f"- second run, everything kept: **{second:.1f} s**",
        f"- peak memory of the largest process: {max(peak_megabytes, largest):,.0f} MB",
        "",
        "| kind of step | steps | seconds, all workers together | share | median |",
        "|---|--:|--:|--:|--:|",
    ]
    for kind, each in sorted(seconds.items(), key=lambda item: -sum(item[1])):
        median = sorted(each)[len(each) // 2]
        lines.append(
            f"| {kind} | {len(each)} | {sum(each):.1f} | {100 * sum(each) / busy:.0f} % | {median:.2f} |"
        )
    lines += ["", "| step | seconds |", "|---|--:|"]
    longest = sorted(records, key=lambda record: -record["seconds"])[:15]
    lines += [f"| {record['label']} | {record['seconds']:.1f} |" for record in longest]
    return "\n".join(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
