"""SmolLM2-135M: training beside Trainer, TRL and a plain peft loop; log-likelihoods beside lm-evaluation-harness.

    python -m tools.real_models smollm2
    python -m benchmarks.races.real_models

The weights are real: 135 million in float32, 49,152 words. The other races run on models of 15 million and 8,192 words. One
process a side, as many threads each as there are processors, in turn. Every side trains on the same samples, batches of 8 of
about 256 tokens, with a loss on the answers alone. Memory is the most that a process of its own held, less what it held with
everything imported and no model loaded. lm-evaluation-harness gets the batch size that a pilot found fastest.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.lib.race import (
    BENCH,
    OURS,
    PEERS,
    Row,
    Side,
    collect,
    goal,
    ratio,
    rounds,
    seconds,
    spread,
    write,
)
from harness import data
from harness.types import Source
from tools.real_models import REAL, fetch

THREADS = len(os.sched_getaffinity(0))
RECIPE = {"rank": 16, "alpha": 32, "steps": 2, "batch_size": 8, "learning_rate": 1e-3, "schedule": "constant", "warmup": 0.0,
          "seed": 0}  # fmt: skip
SIDES: dict[str, tuple[Path, tuple[str, ...]]] = {
    "Trainer": (PEERS, ("trainer_side.py", "trainer")),
    "TRL": (PEERS, ("trainer_side.py", "sft")),
    "plain peft loop": (OURS, ("peft_loop_side.py",)),
    "harness": (OURS, ("harness_train_side.py",)),
}
FASTER, LIGHTER = 1.4, 1.3  # goals: times as fast as each peer; at most so many times a plain loop's memory
SIZES = (2, 8)
QUESTIONS, PILOT, OPTIONS = 24, 8, 4
SOURCE = Source(uri="embedded:dialogues", columns={"input": "dialogue", "reference": "summary"})


def samples(split: Literal["train", "test"]) -> list[tuple[str, str]]:
    """Prompts of about 240 tokens, and their answers: three conversations, and what happens in the last."""
    found = list(data.read(SOURCE, split))
    return [
        (
            "Summarise the last conversation.\n\n" + "\n\n".join(one.input for one in found[at : at + 3]) + "\n\nSummary:",
            found[at + 2].references[0],
        )
        for at in range(0, len(found) - 2, 3)
    ]  # fmt: skip


def opened(name: str) -> Side:
    python, (script, *more) = SIDES[name]
    return Side(python, script, str(REAL / "smollm2"), *more, threads=THREADS)


def training() -> Row:
    rows = [{"prompt": prompt, "answer": answer} for prompt, answer in samples("train")[:32]]
    with (
        opened("Trainer") as trainer,
        opened("TRL") as trl,
        opened("plain peft loop") as loop,
        opened("harness") as ours,
    ):
        open_sides = dict(zip(SIDES, (trainer, trl, loop, ours), strict=True))
        found = rounds(
            {
                name: partial(side.run, recipe=RECIPE, rows=rows, precision="float32", bf16=False,
                              out=str(BENCH / "trained" / f"real-{name.replace(' ', '-')}"))
                for name, side in open_sides.items()
            }
        )  # fmt: skip
    return {
        "seconds": {name: seconds(found[name]) for name in SIDES},
        "ratios": {name: ratio(found[name], found["harness"]) for name in SIDES if name != "harness"},
    }


def memory(name: str) -> Row:
    rows = [{"prompt": prompt, "answer": answer} for prompt, answer in samples("train")[:16]]
    with opened(name) as side:
        imported = _held(side, "VmRSS")
        side.run(recipe=RECIPE | {"steps": 2}, rows=rows, precision="float32", bf16=False,
                 out=str(BENCH / "trained" / "real-memory"))  # fmt: skip
        return {"side": name, "imported_bytes": imported, "peak_bytes": _held(side, "VmHWM")}


def _held(side: Side, name: str) -> int:
    """Bytes that a side's process holds now (VmRSS), or held at most (VmHWM)."""
    lines = Path(f"/proc/{side.process.pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def likelihoods(workload: str) -> Row:
    asked = job(workload)
    pilot = {key: values[:PILOT] for key, values in asked.items()}
    folder = str(REAL / "smollm2")
    with (
        Side(PEERS, "lm_eval_likelihoods_side.py", folder, threads=THREADS) as theirs,
        Side(OURS, "harness_likelihoods_side.py", folder, threads=THREADS) as ours,
    ):
        size = min(SIZES, key=lambda size: theirs.run(**pilot, batch_size=size)["seconds"])
        found = rounds(
            {"lm-eval": partial(theirs.run, **asked, batch_size=size), "harness": partial(ours.run, **asked)}
        )
    pairs = zip(found["lm-eval"][0]["sums"], found["harness"][0]["sums"], strict=True)
    return {
        "workload": workload,
        "batch_size": size,
        "samples": len(next(iter(asked.values()))),
        "apart": max(abs(a - b) for a, b in pairs),
        "peer_seconds": seconds(found["lm-eval"]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found["lm-eval"], found["harness"]),
    }


def job(workload: str) -> dict[str, Any]:
    found = samples("test")
    if workload == "perplexity":
        return {"texts": [prompt for prompt, _ in found[:QUESTIONS]]}
    return {
        "asked": [
            (prompt, [found[(at + other) % len(found)][1] for other in range(OPTIONS)])
            for at, (prompt, _) in enumerate(found[:QUESTIONS])
        ]
    }


def page(trained: Row, held: Sequence[Row], asked: Sequence[Row]) -> list[str]:
    (loop,) = (one for one in held if one["side"] == "plain peft loop")
    net = {one["side"]: (one["peak_bytes"] - one["imported_bytes"]) / 1e6 for one in held}
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"Training: rank {RECIPE['rank']} on every linear layer, {RECIPE['steps']} steps of {RECIPE['batch_size']} samples. "
        f"Goals: {FASTER:g}× as fast as Trainer and TRL, at most {LIGHTER:g}× the memory of the plain loop.",
        "",
        "| side | seconds | harness against it | memory, MB | harness's memory against it |",
        "|---|--:|---|--:|---|",
    ]
    for name in SIDES:
        faster = lighter = "–"
        if name != "harness":
            value, share = trained["ratios"][name], net["harness"] / net[name]
            faster = f"**{value:.2f}×**" + ("" if name == loop["side"] else f", {goal(value, FASTER)}")
            lighter = f"{share:.2f}×"
            if name == loop["side"]:
                lighter = f"**{share:.2f}×**, {LIGHTER:g}× {'met' if share <= LIGHTER else 'missed'}"
        lines.append(
            f"| {name} | {spread(trained['seconds'][name])} | {faster} | {net[name]:,.0f} | {lighter} |"
        )
    lines += [
        "",
        "| workload | samples | batch size of lm-eval | lm-eval, s | harness, s | ratio | apart, nats |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['workload']} | {row['samples']} | {row['batch_size']} | {spread(row['peer_seconds'])} | "
        f"{spread(row['harness_seconds'])} | **{row['ratio']:.2f}×** | {row['apart']:.1g} |"
        for row in asked
    ]
    return lines


def main() -> None:
    fetch("smollm2")
    makers: dict[str, Callable[[], Row]] = {
        **{f"memory {name}": partial(memory, name) for name in SIDES},
        "training": training,
        **{workload: partial(likelihoods, workload) for workload in ("choice", "perplexity")},
    }
    rows = dict(zip(makers, collect("real-models", makers), strict=True))
    held = [rows[f"memory {name}"] for name in SIDES]
    lines = page(rows["training"], held, [rows["choice"], rows["perplexity"]])
    write("real-models", "A real model of 135 million parameters", lines, ("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
