"""What a user waits for before, after and without any work: start-up, plans, reports, a run where all is kept.

    python -m benchmarks.races.startup [SUITE]

The suite (quickstart) is run first where that was not done before; then every command in turn, five times.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.lib import measured
from benchmarks.lib.race import BENCH, seconds, spread, write

ROUNDS = 5
NO_STORE = {"HARNESS_STORE": "nowhere"}
Command = tuple[Sequence[str], float | None, Mapping[str, str]]  # words, goal in seconds, environment


def commands(suite: str) -> dict[str, Command]:
    return {
        "`harness --help`": (["--help"], 0.4, {}),
        "`harness list metrics`": (["list", "metrics"], 0.4, {}),
        "`harness list suites`": (["list", "suites"], 0.4, {}),
        f"`harness plan {suite}`, digests remembered": (["plan", suite], 1.0, {}),
        "`harness report RESULT`, its charts drawn before": (["report", "out"], 1.0, {}),
        "`harness report RESULT`, charts drawn anew": (["report", "out"], None, NO_STORE),
        "`harness verify RESULT`": (["verify", "out"], None, {}),
        f"`harness run {suite}`, everything kept": (["run", suite, "--out", "out"], 5.0, {}),
    }


def main(suite: str = "quickstart") -> None:
    folder = BENCH / "startup" / Path(suite).stem
    folder.mkdir(parents=True, exist_ok=True)
    suite = str(Path(suite).resolve()) if Path(suite).is_file() else suite
    print(f"startup: {suite}, which takes a while where it was not run before", file=sys.stderr, flush=True)
    measured.run(["run", suite, "--out", "out"], folder)
    asked = commands(suite)
    found: dict[str, list[dict]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (words, _, environment) in asked.items():
            found[name].append(measured.run(words, folder, (0,), **environment))
    lines = [
        f"Seconds by the clock, median of {ROUNDS} rounds in turn (lowest to highest), and of all processors.",
        "",
        "| command | seconds | processor seconds | largest process | goal |",
        "|---|--:|--:|--:|---|",
    ]
    for name, (_, wanted, _) in asked.items():
        runs = found[name]
        reached = median(seconds(runs))
        said = "" if wanted is None else f"{wanted:g} s, {'met' if reached <= wanted else 'missed'}"
        busy = median(run["processor_seconds"] for run in runs)
        memory = median(run["largest_megabytes"] for run in runs)
        lines.append(f"| {name} | **{spread(seconds(runs))}** | {busy:.2f} | {memory:,.0f} MB | {said} |")
    write("startup", "Start-up and light work", lines, ("typer", "pydantic", "altair", "vl-convert-python"))


if __name__ == "__main__":
    main(*sys.argv[1:])
