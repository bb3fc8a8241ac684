"""An encoder with a head: labels and LoRA training by HF Trainer and by the harness.

    python -m benchmarks.races.encoders

One process a side, as many threads each as there are processors, in turn; loading is not counted, encoding is. Trainer
gets the samples sorted by length, in the batch size that a pilot found fastest for it, and for training grouped by length
with the fused AdamW. The model has the shape of `bert-tiny` grown to 14 M parameters, and random weights: neither side's
speed depends on them. Both ask the same adapter, which the harness trained; `apart` is the largest difference of two logits.
"""

import os
from functools import partial
from itertools import count
from pathlib import Path
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
from harness import data
from harness.types import Source

THREADS = len(os.sched_getaffinity(0))
SHAPE: dict[str, Any] = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 6,
         "vocab_size": 8192, "max_position_embeddings": 512, "hidden_dropout_prob": 0.0,
         "attention_probs_dropout_prob": 0.0}  # fmt: skip
RECIPE = {"rank": 16, "alpha": 32, "steps": 30, "batch_size": 16, "learning_rate": 2e-3, "schedule": "cosine",
          "warmup": 0.05}  # fmt: skip
LABELS = ["even", "odd"]
SAMPLES, PILOT = 600, 64
SIZES = (8, 16, 32, 64)
GOALS = {"labels": 1.5, "training": 1.4}
SOURCE = Source(uri="embedded:dialogues", columns={"input": "dialogue", "reference": "summary"})


def untrained() -> Path:
    """An encoder of the benchmark's shape, with random weights and the tokenizer of the zoo's `bert-tiny`."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig

    from harness.files.shipped import zoo_folder

    folder = BENCH / "models" / "bert-14m-untrained"
    if not (folder / "model.safetensors").is_file():
        torch.manual_seed(0)
        AutoModelForMaskedLM.from_config(BertConfig(**SHAPE)).save_pretrained(folder)
        AutoTokenizer.from_pretrained(zoo_folder("bert-tiny")).save_pretrained(folder)
    return folder


def rows() -> list[dict[str, str]]:
    """Texts of one to three dialogues, and a label that is the parity of a text's words."""
    samples = list(data.read(SOURCE, "train"))[: 2 * SAMPLES]
    texts = [" ".join(one.input for one in samples[at : at + 1 + at % 3]) for at in range(SAMPLES)]
    return [{"text": text, "label": LABELS[len(text.split()) % 2]} for text in texts]


def race(workload: str) -> Row:
    folder, texts = str(untrained()), rows()
    asked: dict[str, Any] = {"labels": LABELS, "rows": texts}
    pilot = {**asked, "rows": texts[:PILOT]}
    adapter = BENCH / "trained" / "bert-14m"
    size = RECIPE["batch_size"]
    with (
        Side(PEERS, "trainer_encoder_side.py", folder, threads=THREADS) as theirs,
        Side(OURS, "harness_encoder_side.py", folder, threads=THREADS) as ours,
    ):
        ours.run(**asked, recipe=RECIPE | {"seed": 0}, out=str(adapter))
        config = str(adapter / "adapter" if (adapter / "adapter").is_dir() else adapter)
        if workload == "training":

            def turn(side: Side, name: str, seeds: Any) -> Row:
                out = BENCH / "trained" / f"bert-14m-{name}"
                return side.run(**asked, recipe=RECIPE | {"seed": next(seeds)}, out=str(out))

            found = rounds(
                {
                    "Trainer": partial(turn, theirs, "trainer", count()),
                    "harness": partial(turn, ours, "harness", count()),
                }
            )
            apart = None
        else:
            theirs.run(**pilot, adapter=config, batch_size=SIZES[0])
            size = min(
                SIZES, key=lambda size: theirs.run(**pilot, adapter=config, batch_size=size)["seconds"]
            )
            ours.run(**pilot, adapter=config)
            found = rounds(
                {
                    "Trainer": partial(theirs.run, **asked, adapter=config, batch_size=size),
                    "harness": partial(ours.run, **asked, adapter=config),
                }
            )
            pairs = zip(found["Trainer"][0]["logits"], found["harness"][0]["logits"], strict=True)
            apart = max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))
    return {
        "workload": workload,
        "batch_size": size,
        "apart": apart,
        "peer_seconds": seconds(found["Trainer"]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found["Trainer"], found["harness"]),
    }


def main() -> None:
    found = collect("encoders", {workload: partial(race, workload) for workload in GOALS})
    lines = [
        (__doc__ or "").split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"{SAMPLES} texts of one to three dialogues; training: {RECIPE['steps']} steps of {RECIPE['batch_size']}, rank "
        f"{RECIPE['rank']} on every linear layer.",
        "",
        "| workload | batch size of Trainer | Trainer, s | harness, s | ratio | goal | apart |",
        "|---|--:|--:|--:|--:|---|--:|",
    ]
    lines += [
        f"| {row['workload']} | {row['batch_size']} | {spread(row['peer_seconds'])} | {spread(row['harness_seconds'])} | "
        f"**{row['ratio']:.2f}×** | {goal(row['ratio'], GOALS[row['workload']])} | "
        f"{'–' if row['apart'] is None else format(row['apart'], '.1g')} |"
        for row in found
    ]
    write("encoders", "Encoders", lines, ("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
