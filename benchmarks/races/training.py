"""The same LoRA recipe by HF Trainer, by TRL's SFTTrainer and by the harness.

    python -m benchmarks.races.training

One process a side, two threads each, in turn, on the same samples, each round with another seed; time runs from raw
text to the trained adapter. Trainer and TRL group samples by length and use the fused AdamW; in bfloat16 they are given
`bf16=True`. The validation loss of every adapter is measured by one program, on samples that nobody trained on.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from itertools import count
from statistics import median
from typing import Any

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

MODEL = BENCH / "models" / "llama-15m"
THREADS = len(os.sched_getaffinity(0))
RECIPE = {"rank": 16, "alpha": 32, "steps": 30, "batch_size": 16, "learning_rate": 2e-3, "schedule": "cosine",
          "warmup": 0.05}  # fmt: skip
SAMPLES = 480
SIDES = (
    "Trainer float32",
    "TRL float32",
    "harness float32",
    "Trainer bfloat16",
    "TRL bfloat16",
    "harness bfloat16",
)


def rows(split: str, most: int) -> list[dict[str, str]]:
    path = BENCH / "data" / "summaries" / f"{split}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:most]]


def race() -> Row:
    train, validation = rows("train", SAMPLES), rows("validation", 200)

    def turn(side: Side, name: str, seeds: Iterator[int], **said: Any) -> Row:
        seed = next(seeds)
        out = BENCH / "trained" / f"{name.replace(' ', '-')}-{seed}"
        return side.run(recipe=RECIPE | {"seed": seed}, rows=train, out=str(out), **said) | {"out": str(out)}

    model = str(MODEL)
    with (
        Side(PEERS, "trainer_side.py", model, "trainer", threads=THREADS) as trainer,
        Side(PEERS, "trainer_side.py", model, "sft", threads=THREADS) as sft,
        Side(OURS, "harness_train_side.py", model, threads=THREADS) as harness,
    ):
        sides = {}
        for name in SIDES:
            who, _, precision = name.partition(" ")
            if who == "harness":
                sides[name] = partial(turn, harness, name, count(), precision=precision)
            else:
                peer = trainer if who == "Trainer" else sft
                sides[name] = partial(turn, peer, name, count(), bf16=precision == "bfloat16")
        found = rounds(sides)
        losses = {
            name: [harness.run(measure=run["out"], rows=validation)["loss"] for run in found[name]]
            for name in SIDES
        }
    return {
        "seconds": {name: seconds(found[name]) for name in SIDES},
        "losses": losses,
        "ratios": {
            f"{ours} against {theirs}": ratio(found[theirs], found[ours])
            for ours in SIDES if ours.startswith("harness")
            for theirs in SIDES if not theirs.startswith("harness")
        },
    }  # fmt: skip


def main() -> None:
    (row,) = collect("training", {"llama-15m": race})
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"llama-15m, {SAMPLES} samples of about 175 tokens, {RECIPE['steps']} steps of {RECIPE['batch_size']}, rank "
        f"{RECIPE['rank']} on every linear layer.",
        "",
        "| side | seconds | validation loss, nats per answer token |",
        "|---|--:|--:|",
        *(
            f"| {name} | {spread(row['seconds'][name])} | {spread(row['losses'][name], 4)} |"
            for name in SIDES
        ),
        "",
        "| | ratio | goal |",
        "|---|--:|---|",
    ]
    for name, value in row["ratios"].items():
        ours, theirs = name.split(" against ")
        wanted = None
        if theirs.endswith("float32"):
            wanted = 1.4 if ours.endswith("float32") else 2.2
        lines.append(f"| {name} | **{value:.2f}×** | {goal(value, wanted) if wanted else '–'} |")
    best = min(median(row["seconds"][name]) for name in SIDES if not name.startswith("harness"))
    lines += ["", f"The fastest of the peers took {best:.1f} s."]
    write("training", "LoRA training", lines, ("torch", "transformers", "peft", "accelerate"))


if __name__ == "__main__":
    main()
