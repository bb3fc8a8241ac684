"""Log-likelihoods by lm-evaluation-harness and by the harness: four options after a prompt, and whole texts.

    python -m benchmarks.races.likelihoods

One process a side, as many threads each as there are processors, in turn; loading is not counted, encoding is. The peer gets
the batch size that a pilot found fastest for it. The models have the shapes of `llama-15m` and `t5-15m` and random weights:
neither side's speed depends on them. `apart` is the largest difference of two log-likelihoods, in nats.
"""

import os
from functools import partial
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
PILOT = 32
SIZES = (8, 16, 32, 64)
OPTIONS = 4
QUESTIONS, TEXTS = 300, 100
GOALS = {"choice": 2.0, "perplexity": 1.0}
SOURCE = Source(uri="embedded:dialogues", columns={"input": "dialogue", "reference": "summary"})


def untrained(name: str) -> Path:
    """A checkpoint of a benchmark model's shape, with random weights and the tokenizer of the zoo's model."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    from benchmarks.lib.checkpoints import MODELS
    from harness.files.shipped import zoo_folder

    folder = BENCH / "models" / f"{name}-untrained"
    if not (folder / "model.safetensors").is_file():
        zoo, kind, shape = MODELS[name]
        tokenizer = AutoTokenizer.from_pretrained(zoo_folder(zoo))
        special = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
        config = AutoConfig.for_model(kind, **shape, **special)
        torch.manual_seed(0)
        automatic = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        automatic.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def job(workload: str) -> dict[str, Any]:
    samples = list(data.read(SOURCE, "test"))
    if workload == "perplexity":
        return {"texts": [" ".join(one.input for one in samples[at : at + 3]) for at in range(TEXTS)]}
    return {
        "asked": [
            (
                f"Summarise the conversation.\n\n{one.input}\n\nSummary:",
                [samples[(at + other) % len(samples)].references[0] for other in range(OPTIONS)],
            )
            for at, one in enumerate(samples[:QUESTIONS])
        ]
    }


def race(model: str, workload: str) -> Row:
    folder, asked = str(untrained(model)), job(workload)
    pilot = {key: values[:PILOT] for key, values in asked.items()}
    with (
        Side(PEERS, "lm_eval_likelihoods_side.py", folder, threads=THREADS) as theirs,
        Side(OURS, "harness_likelihoods_side.py", folder, threads=THREADS) as ours,
    ):
        theirs.run(**pilot, batch_size=SIZES[0])
        size = min(SIZES, key=lambda size: theirs.run(**pilot, batch_size=size)["seconds"])
        ours.run(**pilot)
        found = rounds(
            {"lm-eval": partial(theirs.run, **asked, batch_size=size), "harness": partial(ours.run, **asked)}
        )
    pairs = zip(found["lm-eval"][0]["sums"], found["harness"][0]["sums"], strict=True)
    return {
        "model": model,
        "workload": workload,
        "batch_size": size,
        "samples": len(next(iter(asked.values()))),
        "apart": max(abs(a - b) for a, b in pairs),
        "peer_seconds": seconds(found["lm-eval"]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found["lm-eval"], found["harness"]),
    }


def main() -> None:
    cases = (("llama-15m", "choice"), ("llama-15m", "perplexity"))
    rows = collect(
        "likelihoods", {f"{model} {workload}": partial(race, model, workload) for model, workload in cases}
    )
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        "| model | workload | samples | batch size of lm-eval | lm-eval, s | harness, s | ratio | goal | apart |",
        "|---|---|--:|--:|--:|--:|--:|---|--:|",
    ]
    lines += [
        f"| {row['model']} | {row['workload']} | {row['samples']} | {row['batch_size']} | {spread(row['peer_seconds'])} | "
        f"{spread(row['harness_seconds'])} | **{row['ratio']:.2f}×** | {goal(row['ratio'], GOALS[row['workload']])} | "
        f"{row['apart']:.1g} |"
        for row in rows
    ]
    write("likelihoods", "Log-likelihoods", lines, ("torch", "transformers"))


if __name__ == "__main__":
    main()
