"""A LoRA adapter by DPO, by TRL's DPOTrainer and by the harness.

    python -m benchmarks.races.preferences

One process a side, as many threads each as there are processors, in turn, on the same pairs; time runs from raw text to the
trained adapter. The model has the shape of `llama-15m` and random weights: no side's speed depends on them. TRL computes the
reference's log-likelihoods once (`precompute_ref_log_probs`), as the harness does, or in every step; the faster counts.
"""

import os
from functools import partial
from itertools import pairwise

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
from benchmarks.races.likelihoods import untrained
from harness import data
from harness.types import Source

THREADS = len(os.sched_getaffinity(0))
BETA, GOAL = 0.1, 1.4
RECIPE = {"rank": 16, "alpha": 32, "steps": 30, "batch_size": 8, "learning_rate": 1e-3, "schedule": "constant",
          "warmup": 0.0, "seed": 0}  # fmt: skip
PAIRS = 240
DIALOGUES = Source(uri="embedded:dialogues", columns={"input": "dialogue", "reference": "summary"})
SIDES = ("TRL, reference once", "TRL, reference in every step", "harness")


def pairs() -> list[dict[str, str]]:
    """Conversations with their own summary, which is chosen, and another one's."""
    samples = list(data.read(DIALOGUES, "train"))[: PAIRS + 1]
    return [
        {
            "prompt": f"Summarise the conversation.\n\n{one.input}\n\nSummary:",
            "answer": one.references[0],
            "rejected": other.references[0],
        }
        for one, other in pairwise(samples)
    ]


def race() -> Row:
    model, rows = str(untrained("llama-15m")), pairs()
    told = RECIPE | {"objective": {"name": "preferences", "beta": BETA}}
    with (
        Side(PEERS, "dpo_side.py", model, threads=THREADS) as trl,
        Side(OURS, "harness_train_side.py", model, threads=THREADS) as ours,
    ):
        asked = {"rows": rows, "out": str(BENCH / "trained" / "preferences"), "precision": "float32"}
        sides = {
            SIDES[0]: partial(trl.run, recipe=RECIPE, beta=BETA, precompute=True, **asked),
            SIDES[1]: partial(trl.run, recipe=RECIPE, beta=BETA, precompute=False, **asked),
            SIDES[2]: partial(ours.run, recipe=told, **asked),
        }
        found = rounds(sides)
    return {
        "seconds": {name: seconds(found[name]) for name in SIDES},
        "ratios": {name: ratio(found[name], found["harness"]) for name in SIDES[:2]},
    }


def main() -> None:
    (row,) = collect("preferences", {"llama-15m": race})
    best = min(row["ratios"].values())
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"{PAIRS} pairs, {RECIPE['steps']} steps of {RECIPE['batch_size']}, rank {RECIPE['rank']} on every linear layer, "
        f"beta {BETA:g}. The harness is **{best:.2f}×** as fast as the faster of TRL's two ways: {goal(best, GOAL)}.",
        "",
        "| side | seconds | the harness is faster by |",
        "|---|--:|--:|",
        *(
            f"| {name} | {spread(row['seconds'][name])} | "
            + (f"{row['ratios'][name]:.2f}× |" if name in row["ratios"] else "– |")
            for name in SIDES
        ),
    ]
    write("preferences", "Training by preferences", lines, ("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
