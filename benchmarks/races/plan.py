"""How near `harness plan` is to the run that follows: its time, and the peak memory of each model.

    python -m benchmarks.races.plan [SUITE …]

Each suite is planned into an empty store and then run: what the plan says is estimated from the models' sizes and the speed
of this machine. The quickstart is planned and run once more with another seed, over the store that now has steps of the same
models: what the plan says then is measured here. Goals: the time within a factor of 1.5, peak memory within 25 %. Memory is
the highest resident memory of the worker while it ran the step.
"""

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.lib import measured
from benchmarks.lib.race import BENCH, ROOT, Row, write
from harness import plugins
from harness.commands.asked import planned, runtime_for
from harness.commands.plan import duration, size
from harness.files.hardware import machine
from harness.plan.costs import step_costs
from harness.plan.estimates import estimate
from harness.run.store import open_store
from tools.real_models import fetch

PLACE = BENCH / "plan"
TIMES, SHARE = 1.5, 0.25
SMOLLM2 = str(ROOT / "benchmarks" / "suites" / "smollm2.yaml")
# Suite, and the seed; a second seed finds the steps of the first in the store.
RUNS = (("quickstart", 0), ("quickstart", 1), (SMOLLM2, 0))
WORK = {"answering": "generate", "training": "train"}


def go(suite: str, seed: int) -> Row:
    """One plan and the run that follows it."""
    folder = PLACE / Path(suite).stem
    if not seed:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    said = estimated(suite, folder / "store", seed)
    load = os.getloadavg()[0]
    words = ["run", suite, "--store", "store", "--out", "out", "--offline", "--seed", str(seed)]
    run = measured.run(words, folder)
    return {
        "name": f"{Path(suite).stem}{', another seed' if seed else ''}",
        "load": load,
        "said": said,
        "seconds": run["seconds"],
        "steps": steps(folder / "store", frozenset(said["steps"])),
    }


def estimated(suite: str, place: Path, seed: int) -> Row:
    """What the plan says: of the run, of each step that is to do, and of each model's peaks."""
    store = open_store(place)
    plan = planned(suite, store, None, None, "cpu", True, seed)
    found = estimate(plan, store, runtime_for(plan, "cpu", None, True, False), machine())
    return {
        "seconds": found.seconds,
        "basis": found.basis,
        "workers": found.workers,
        "steps": {time.step: time.seconds for time in found.steps},
        "unknown": found.unknown,
        "peaks": {
            f"{model.model} {work}": {"bytes": memory.bytes, "basis": memory.basis}
            for model in found.models
            for work, memory in (("answering", model.answering), ("training", model.training))
            if memory is not None
        },
    }


def steps(place: Path, asked: frozenset[str]) -> Row:
    """What the finished steps of the store record."""
    kinds = frozenset(plugins.own_names("steps"))
    return {
        cost.step: {
            "kind": cost.kind,
            "model": cost.spec["used"]["model"]["name"] if "used" in cost.spec else None,
            "seconds": cost.seconds,
            "peak": cost.peak_bytes,
        }
        for cost in step_costs(open_store(place), str(machine()), kinds)
        if cost.step in asked
    }


def lines(rows: list[Row]) -> Iterator[str]:
    yield __doc__.split("\n\n", 2)[2].strip().replace("\n", " ")
    yield ""
    yield "| run | workers | load before | planned | took | ratio | goal | planned from |"
    yield "|---|--:|--:|--:|--:|--:|---|---|"
    for row in rows:
        said, took = row["said"], row["seconds"]
        ratio = said["seconds"] / took
        met = "met" if 1 / TIMES <= ratio <= TIMES else "missed"
        cells = [
            row["name"],
            said["workers"],
            f"{row['load']:.1f}",
            duration(said["seconds"]),
            duration(took),
        ]
        yield f"| {' | '.join(map(str, cells))} | **{ratio:.2f}** | {TIMES:g}× {met} | {said['basis']} |"
    yield from ("", "Seconds of the steps by kind, all workers together:", "")
    yield "| run | kind of step | steps | planned | took | ratio |"
    yield "|---|---|--:|--:|--:|--:|"
    for row in rows:
        for kind, (count, planned_seconds, took) in by_kind(row).items():
            ratio = planned_seconds / took
            yield f"| {row['name']} | {kind} | {count} | {planned_seconds:.1f} s | {took:.1f} s | {ratio:.2f} |"
    yield from ("", "Peak memory of a worker:", "")
    yield "| run | model and work | planned | took | ratio | goal | planned from |"
    yield "|---|---|--:|--:|--:|---|---|"
    for row in rows:
        for name, memory in row["said"]["peaks"].items():
            took = peak(row, name)
            ratio = memory["bytes"] / took
            met = "met" if abs(ratio - 1) <= SHARE else "missed"
            yield (
                f"| {row['name']} | {name} | {size(memory['bytes'])} | {size(took)} | **{ratio:.2f}** | "
                f"{100 * SHARE:.0f} % {met} | {memory['basis']} |"
            )


def by_kind(row: Row) -> Mapping[str, tuple[int, float, float]]:
    """Steps, planned and measured seconds of each kind of step, without the opening of models."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for step, seconds in row["said"]["steps"].items():
        found[row["steps"][step]["kind"]].append((seconds, row["steps"][step]["seconds"]))
    return {
        kind: (len(pairs), sum(said for said, _ in pairs), sum(took for _, took in pairs))
        for kind, pairs in found.items()
    }


def peak(row: Row, name: str) -> int:
    model, _, work = name.rpartition(" ")
    return max(
        step["peak"] for step in row["steps"].values() if (step["model"], step["kind"]) == (model, WORK[work])
    )


def main(*suites: str) -> None:
    asked = [(suite, seed) for suite, seed in RUNS if not suites or Path(suite).stem in suites]
    if any(suite == SMOLLM2 for suite, _ in asked):
        fetch("smollm2")
    rows = []
    for suite, seed in asked:
        rows.append(go(suite, seed))
        print(f"  {rows[-1]['name']}: {rows[-1]['seconds']:.0f} s", file=sys.stderr, flush=True)
    write(
        "plan", "What `harness plan` says, and what the run took", [*lines(rows)], ("torch", "transformers")
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
