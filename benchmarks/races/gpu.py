"""The generation races on one GPU, with a model of about one billion parameters.

    python -m benchmarks.races.gpu

The model has Llama-3.2-1B's shape and random weights, which is fine for speed and says nothing of answers: it never
stops by itself, so every answer has as many tokens as it may. Both sides run in bfloat16 on the same card.
"""

import shutil
from functools import partial
from typing import Any

import torch

from benchmarks.lib.race import (
    BENCH,
    OURS,
    PEERS,
    ROUNDS,
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
from benchmarks.races.generation import WORKLOADS, asked

SHAPE = {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
         "num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 4096, "vocab_size": 128256}  # fmt: skip
MODEL = BENCH / "models" / "llama-1b-random"
SIZES = (32, 64, 128, 256)
PILOT = 256


def build() -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    if (MODEL / "config.json").is_file():
        return
    torch.manual_seed(0)
    config = AutoConfig.for_model("llama", **SHAPE, bos_token_id=1, eos_token_id=2, dtype="bfloat16")
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(MODEL)
    for path in (BENCH / "models" / "llama-15m").glob("*token*.json"):
        shutil.copy(path, MODEL)


def race(workload: str) -> Row:
    build()
    job: dict[str, Any] = {"prompts": asked(workload), "max_new_tokens": WORKLOADS[workload][2]}
    with (
        Side(PEERS, "lm_eval_side.py", str(MODEL), threads=4, device="cuda") as theirs,
        Side(OURS, "harness_side.py", str(MODEL), "bfloat16", threads=4, device="cuda") as ours,
    ):
        pilot = job | {"prompts": job["prompts"][:PILOT]}
        size = min(SIZES, key=lambda size: theirs.run(**pilot, batch_size=size)["seconds"])
        ours.run(**pilot)
        found = rounds(
            {"lm-eval": partial(theirs.run, **job, batch_size=size), "harness": partial(ours.run, **job)}
        )
    return {
        "batch_size": size,
        "peer_seconds": seconds(found["lm-eval"]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found["lm-eval"], found["harness"]),
    }


def main() -> None:
    if not torch.cuda.is_available():
        write(
            "gpu",
            "On a GPU",
            ["No GPU is here: nothing was measured. Run `make bench-gpu` where one is."],
            ("torch",),
        )
        return
    rows = collect("gpu", {workload: partial(race, workload) for workload in WORKLOADS})
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"Card: {torch.cuda.get_device_name()}. Median of {ROUNDS} rounds.",
        "",
        "| workload | lm-eval hf, batch size | seconds | harness, seconds | ratio | goal |",
        "|---|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {row['key']} | {row['batch_size']} | {spread(row['peer_seconds'])} | {spread(row['harness_seconds'])} | "
        f"**{row['ratio']:.2f}×** | {goal(row['ratio'], 5.0)} |"
        for row in rows
    ]
    write("gpu", "On a GPU", lines, ("torch", "transformers"))


if __name__ == "__main__":
    main()
