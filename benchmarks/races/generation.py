"""Answers to the same prompts by lm-evaluation-harness, by transformers' `generate` and by the harness.

    python -m benchmarks.races.generation [MODEL …]

One process a side, two threads each, in turn; loading is not counted, encoding and decoding text are. The peers get the
batch size that a pilot of 64 prompts found fastest for them. lm-evaluation-harness gets T5's own head back, which it
overwrites, and the limit on new tokens, to which it adds the prompt's length (`benchmarks/peers/lm_eval_side.py`).
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
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
    prompts,
    ratio,
    rounds,
    seconds,
    spread,
    write,
)

THREADS = len(os.sched_getaffinity(0))
PILOT = 64
SIZES = (8, 16, 32, 64)
WORKLOADS: Mapping[str, tuple[str, int, int]] = {  # task, prompts, new tokens at most
    "prompt-heavy": ("summaries", 400, 32),
    "answer-heavy": ("chats", 200, 128),
    "few-shot": ("questions", 400, 32),
}
MODELS = ("llama-15m", "falcon-15m", "mistral-15m", "t5-15m")
BOTH = ("prompt-heavy", "answer-heavy")
WORKLOADS_OF = {
    "falcon-15m": ("prompt-heavy",),
    "mistral-15m": ("answer-heavy",),
}  # so that all fits 20 minutes
SAME = 0.01  # share of float32 answers that may differ, by near ties, before a ratio compares nothing
EXAMPLES = 3


def asked(workload: str) -> list[str]:
    task, count, _ = WORKLOADS[workload]
    if workload != "few-shot":
        return prompts(task, count)
    path = BENCH / "data" / task / "train.jsonl"
    examples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:EXAMPLES]]
    prefix = "".join(f"{one['prompt']} {one['answer']}\n\n" for one in examples)
    return [prefix + prompt for prompt in prompts(task, count)]


def best_size(side: Side, job: dict[str, Any]) -> int:
    """The batch size that answers the pilot's prompts fastest; the first batch of all warms up."""
    pilot = job | {"prompts": job["prompts"][:PILOT]}
    side.run(**pilot | {"prompts": pilot["prompts"][:16]}, batch_size=16)
    return min(SIZES, key=lambda size: side.run(**pilot, batch_size=size)["seconds"])


def race(model: str, workload: str, dtype: str, peer: str) -> Row:
    job: dict[str, Any] = {"prompts": asked(workload), "max_new_tokens": WORKLOADS[workload][2]}
    folder = str(BENCH / "models" / model)
    python, script = {
        "lm-eval": (PEERS, "lm_eval_side.py"),
        "generate": (OURS, "generate_side.py"),
    }[peer]
    with (
        Side(python, script, folder, threads=THREADS) as theirs,
        Side(OURS, "harness_side.py", folder, dtype, threads=THREADS) as ours,
    ):
        size = best_size(theirs, job)
        ours.run(**job | {"prompts": job["prompts"][:16]})
        found = rounds(
            {peer: partial(theirs.run, **job, batch_size=size), "harness": partial(ours.run, **job)}
        )
    mine, other = found["harness"][0], found[peer][0]
    differ = sum(a != b for a, b in zip(mine["answers"], other["answers"], strict=True))
    count = len(job["prompts"])
    return {
        "model": model,
        "workload": workload,
        "dtype": dtype,
        "peer": peer,
        "batch_size": size,
        "samples": count,
        "tokens_in": mine["prompt_tokens"] / count,
        "tokens_out": mine["output_tokens"] / count,
        "stopped": mine["stopped"] / count,
        "different": len(set(mine["answers"])) / count,
        "differ": differ,
        "peer_seconds": seconds(found[peer]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found[peer], found["harness"]),
    }


def wanted(model: str, workload: str, dtype: str) -> float:
    if model.startswith("t5"):
        return 1.6
    if workload == "few-shot":
        return 3.0
    if dtype == "bfloat16":
        return 3.0
    return 1.6 if workload == "prompt-heavy" else 2.0


def verdict(row: Row) -> str:
    if row["dtype"] == "float32" and row["differ"] > SAME * row["samples"]:
        return "not comparable: other answers"
    return goal(row["ratio"], wanted(row["model"], row["workload"], row["dtype"]))


def main(*models: str) -> None:
    makers: dict[str, Callable[[], Row]] = {}
    for model in models or MODELS:
        for workload in WORKLOADS_OF.get(model, BOTH):
            makers[f"{model} {workload} float32"] = partial(race, model, workload, "float32", "lm-eval")
        if model == "llama-15m":
            for workload in BOTH:
                makers[f"{model} {workload} bfloat16"] = partial(race, model, workload, "bfloat16", "lm-eval")
        if model == "llama-15m":
            makers[f"{model} few-shot float32"] = partial(race, model, "few-shot", "float32", "generate")
    rows = collect("generation", makers)
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        "| model | workload | n | tokens in, out | stop by themselves, different answers | against, batch size | "
        "theirs, s | harness, s | ratio | goal | answers that differ |",
        "|---|---|--:|--:|--:|---|--:|--:|--:|---|--:|",
    ]
    lines += [
        f"| {row['model']} {row['dtype']} | {row['workload']} | {row['samples']} | {row['tokens_in']:.0f}, "
        f"{row['tokens_out']:.0f} | {row['stopped']:.0%}, {row['different']:.0%} | {row['peer']} float32, "
        f"{row['batch_size']} | {spread(row['peer_seconds'])} | {spread(row['harness_seconds'])} | "
        f"**{row['ratio']:.2f}×** | {verdict(row)} | "
        f"{row['differ']} of {row['samples']} |"
        for row in rows
    ]
    best = median(row["ratio"] for row in rows)
    lines += [
        "",
        f"Seconds are the median of {len(rows[0]['peer_seconds'])} rounds (lowest to highest); the ratio is "
        f"the median of the rounds' own. Median ratio of all rows: {best:.2f}×.",
    ]
    write("generation", "Generation", lines, ("torch", "transformers"))


if __name__ == "__main__":
    main(*sys.argv[1:])
