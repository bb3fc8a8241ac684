"""How much memory a base takes, beside what its weights weigh: to load it, to answer, to switch adapters and to train.

    python -m benchmarks.races.memory

A Llama of 220 M random float32 parameters, in a process of its own for every row; memory is the process's peak, looked at
every 5 ms, less what it held with everything imported. Beside it stands what of that are pages of the checkpoint's file:
the system takes them back where memory is short. The budget is what the keys and values of the tokens in flight take. Goal:
the weights, 30 % of them, and the budget; training has no budget of tokens, so it stands here without a goal.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.lib.race import BENCH, Row, collect, write

THREADS = str(len(os.sched_getaffinity(0)))
FOLDER = BENCH / "models" / "llama-220m"
SHAPE = {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 16, "num_attention_heads": 16,
         "vocab_size": 8192, "max_position_embeddings": 1024, "tie_word_embeddings": False}  # fmt: skip
PROMPT_WORDS, ANSWERS = 120, 48
OVER = 1.3
WORK = ("load", "answer", "answer with two adapters", "train")
BUDGETS = (2048, 8192)  # tokens in flight


def model() -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from harness.files.shipped import zoo_folder

    if not (FOLDER / "config.json").exists():
        torch.manual_seed(0)
        fresh = FOLDER.with_name(".llama-220m.new")
        shutil.rmtree(fresh, ignore_errors=True)
        AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **SHAPE)).save_pretrained(fresh)
        for path in zoo_folder("llama2-tiny").glob("*token*.json"):
            shutil.copy(path, fresh)
        fresh.rename(FOLDER)
    return FOLDER


class Watch:
    """The most memory that this process holds: all of it, and what is no file's."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self.before = self._now()
        self.resident, self.own = self.before
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            resident, own = self._now()
            self.resident, self.own = max(self.resident, resident), max(self.own, own)

    def _now(self) -> tuple[int, int]:
        lines = Path("/proc/self/status").read_text().splitlines()
        held = {name: value for name, _, value in (line.partition(":") for line in lines)}
        resident, own = (int(held[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))
        return resident, own

    def stop(self) -> dict[str, int]:
        self._over.set()
        self._thread.join()
        return {"peak_bytes": self.resident - self.before[0], "own_bytes": self.own - self.before[1]}


def measure(work: str, budget: str) -> dict[str, Any]:
    """In a fresh process."""
    import torch

    from harness.backends import open_backend
    from harness.neural.huggingface import HuggingFace
    from harness.neural.memory import bytes_per_token
    from harness.neural.objectives import Example
    from harness.neural.train import train
    from harness.types import Decode, Model, ModelPin, Prompt, Recipe, Runtime

    torch.set_num_threads(int(THREADS))
    watch = Watch()
    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    runtime = Runtime(threads=int(THREADS), batch_tokens=int(budget))
    backend = open_backend(Model(name="model", uri=f"file:{FOLDER}", dtype="float32"), pin, runtime)
    assert isinstance(backend, HuggingFace)
    words = "a cat sat on the mat and".split()
    prompts = [
        Prompt(sample_id=str(at), before="", input=" ".join(words[(at + n) % 7] for n in range(PROMPT_WORDS)), after="")
        for at in range(ANSWERS)
    ]  # fmt: skip
    recipe = Recipe(name="short", targets=("all-linear",), steps=2, batch_size=4, validation_samples=0)
    examples = [Example(id=prompt.sample_id, prompt=prompt, answer="the cat sat on it") for prompt in prompts]
    trained = [FOLDER / f"adapter-{seed}" for seed in (0, 1)]
    if work == "answer":
        list(backend.write(prompts, Decode(max_new_tokens=8), "refuse", None))
    elif work == "answer with two adapters":
        for folder in trained:
            list(backend.write(prompts, Decode(max_new_tokens=8), "refuse", folder / "adapter"))
    elif work == "train":
        for seed, folder in enumerate(trained):
            shutil.rmtree(folder, ignore_errors=True)
            train(backend.base, examples, [], recipe, seed, folder)
    found = watch.stop()
    weights = sum(one.numel() * one.element_size() for one in backend.base.model.parameters())
    return {
        **found,
        "weights_bytes": weights,
        "budget_bytes": int(budget) * bytes_per_token(backend.base),
    }


def row(work: str, budget: int) -> Row:
    words = [sys.executable, "-m", "benchmarks.races.memory", work, str(budget)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": THREADS})  # fmt: skip
    return {"work": work, "budget": budget, **json.loads(done.stdout)}


def main() -> None:
    model()
    rows = collect(
        "memory",
        {"train": partial(row, "train", 0)}
        | {f"{work} {budget}": partial(row, work, budget) for work in WORK[:3] for budget in BUDGETS},
    )
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        "| work | tokens in flight | weights, MB | budget, MB | peak, MB | without the file's pages, MB | goal, MB |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for one in rows:
        names = ("weights_bytes", "budget_bytes", "peak_bytes", "own_bytes")
        weights, budget, peak, own = (one[name] / 1e6 for name in names)
        most = OVER * weights + budget
        said = "–" if one["work"] == "train" else f"{most:,.0f}, {'met' if peak <= most else 'missed'}"
        lines.append(
            f"| {one['work']} | {one['budget'] or '–'} | {weights:,.0f} | {budget:,.0f} | **{peak:,.0f}** | "
            f"{own:,.0f} | {said} |"
        )
    write("memory", "Memory of a base", lines, ("torch", "transformers"))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
    else:
        main()
