"""Several adapters of one base over the same samples: switched, merged, or mixed in one batch.

    python -m benchmarks.races.adapters [CHECKPOINT]

CHECKPOINT is a folder, else one of the tiny models. Four adapters are trained for a few dozen steps on the embedded data.
Then the same prompts are asked of each by one greedy loop, transformers' `generate` in batches of like lengths, with

- peft's own layers, switched by `set_adapter`: what users of peft have;
- layers of our own beside the matrices, switched;
- factors added into the matrices, which are read back from the checkpoint afterwards: `neural.lora.adapted` in float32;
- batches that mix the adapters: one pass of the base for rows of all of them, each row with factors of its own.

In turn, so many times; the time of putting an adapter on and taking it off counts. Answers are compared with peft's.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import nn

from harness.checkpoints.adapter import WEIGHTS
from harness.files import shipped
from harness.files.hardware import machine
from harness.neural import lora
from harness.neural.encode import prompt_ids, prompt_text
from harness.neural.load import Base, load
from harness.neural.lora.config import read_config, targeted
from harness.neural.lora.factors import key, put_in
from harness.neural.lora.linear import FrozenLora
from harness.neural.objectives import Example
from harness.neural.train import train
from harness.types import Model, ModelPin, Prompt, Recipe, Runtime

RESULTS = Path(__file__).parents[1] / "results"
REPEATS = 5
SAMPLES = 200  # per adapter
ROWS = 32  # per batch
NEW_TOKENS = 24
STEPS = 48
RECIPES = (
    Recipe(name="r16", rank=16, alpha=32, targets=("all-linear",), steps=STEPS, learning_rate=6e-3),
    Recipe(name="r8-qv", rank=8, alpha=16, targets=("q", "v"), steps=STEPS, learning_rate=6e-3),
)
PIN = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
Answers = dict[tuple[Path, int], tuple[int, ...]]  # (adapter, prompt's position) -> tokens


class MixedUpdate(nn.Module):
    """A linear module whose rows have factors of their own."""

    def __init__(self, frozen: nn.Linear) -> None:
        super().__init__()
        self.frozen = frozen
        self.weight = frozen.weight
        self.A: torch.Tensor | None = None  # [rows, r, in]
        self.B: torch.Tensor | None = None  # [rows, out, r], scaled

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        low = torch.bmm(x, self.A.transpose(1, 2))
        return torch.baddbmm(self.frozen(x), low, self.B.transpose(1, 2))


def prompts(task: str, split: str, count: int) -> list[tuple[str, str]]:
    """Prompt and answer."""
    path = shipped.folder("suites") / "data" / task / f"{split}.jsonl"
    said = map(json.loads, path.read_text(encoding="utf-8").splitlines()[:count])
    if task == "dialogues":
        return [
            (f"Summarise the conversation.\n\n{row['dialogue']}\n\nSummary:", row["summary"]) for row in said
        ]
    return [(f"{row['instruction']}\n\n{row['input']}\n\nAnswer:", row["output"]) for row in said]


def learn(base: Base, task: str, recipe: Recipe, out: Path) -> Path:
    told = [
        Example(id=str(at), prompt=Prompt(sample_id=str(at), before=text, input="", after=""), answer=answer)
        for at, (text, answer) in enumerate(prompts(task, "train", 16 * STEPS))
    ]
    train(base, told, [], recipe, 0, out)
    return out / "adapter"


def write(base: Base, rows: Sequence[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Greedy answers to one batch."""
    longest = max(len(ids) for _, ids in rows)
    filled = [([0] * (longest - len(ids)), list(ids)) for _, ids in rows]
    if base.architecture.name == "seq2seq":
        ids = torch.tensor([have + [base.pad] * len(none) for none, have in filled])
        seen = torch.tensor([[1] * len(have) + none for none, have in filled])
    else:
        ids = torch.tensor([[base.pad] * len(none) + have for none, have in filled])
        seen = torch.tensor([none + [1] * len(have) for none, have in filled])
    written = base.model.generate(  # type: ignore[operator]  # a method that nn.Module does not declare
        input_ids=ids, attention_mask=seen, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=base.pad
    )
    for (at, _), row in zip(
        rows, written[:, 1 if base.architecture.name == "seq2seq" else longest :].tolist(), strict=True
    ):
        end = next((nth for nth, token in enumerate(row) if token in base.ends), len(row))
        yield at, tuple(row[:end])


def ask(base: Base, asked: Sequence[Sequence[int]], adapter: Path) -> Answers:
    order = sorted(range(len(asked)), key=lambda at: -len(asked[at]))
    found: Answers = {}
    for start in range(0, len(order), ROWS):
        for at, answer in write(base, [(at, asked[at]) for at in order[start : start + ROWS]]):
            found[adapter, at] = answer
    return found


def by_peft(base: Base, adapters: Sequence[Path], asked: Sequence[Sequence[int]]) -> Answers:
    model = PeftModel.from_pretrained(base.model, str(adapters[0]), adapter_name="0")
    for nth, adapter in enumerate(adapters[1:], start=1):
        model.load_adapter(str(adapter), adapter_name=str(nth))
    model.eval()
    found: Answers = {}
    for nth, adapter in enumerate(adapters):
        model.set_adapter(str(nth))
        found |= ask(base, asked, adapter)
    model.unload()
    return found


@contextmanager
def beside(base: Base, adapter: Path) -> Iterator[None]:
    config, tensors = read_config(adapter), load_file(adapter / WEIGHTS)
    modules = targeted(base.model, config.targets)
    for name, module in modules.items():
        A, B = tensors[key(name, "A")], tensors[key(name, "B")]
        put_in(base.model, name, FrozenLora(module, A, B, config.scale_of(name)).eval())
    yield
    for name, module in modules.items():
        put_in(base.model, name, module)


def one_by_one(
    on: Callable[[Base, Path], object], base: Base, adapters: Sequence[Path], asked: Sequence[Sequence[int]]
) -> Answers:
    found: Answers = {}
    for adapter in adapters:
        with on(base, adapter):  # type: ignore[attr-defined]
            found |= ask(base, asked, adapter)
    return found


def mixed(base: Base, adapters: Sequence[Path], asked: Sequence[Sequence[int]]) -> Answers:
    """Every prompt of every adapter, the longest first; a module that an adapter leaves alone has zeros for its rows."""
    names = sorted(
        {name for adapter in adapters for name in targeted(base.model, read_config(adapter).targets)}
    )
    modules: dict[str, Any] = {
        name: base.model.get_submodule(name) for name in names
    }  # all of them nn.Linear
    factors = stacked(adapters, modules)
    layers = {name: MixedUpdate(module) for name, module in modules.items()}
    for name, layer in layers.items():
        put_in(base.model, name, layer)
    rows = sorted(
        ((nth, at) for nth in range(len(adapters)) for at in range(len(asked))),
        key=lambda row: (-len(asked[row[1]]), row),
    )
    found: Answers = {}
    for start in range(0, len(rows), ROWS):
        batch = rows[start : start + ROWS]
        whose = torch.tensor([nth for nth, _ in batch])
        for name, layer in layers.items():
            layer.A, layer.B = (side[whose] for side in factors[name])
        for place, answer in write(base, [(place, asked[at]) for place, (_, at) in enumerate(batch)]):
            nth, at = batch[place]
            found[adapters[nth], at] = answer
    for name, module in modules.items():
        put_in(base.model, name, module)
    return found


def stacked(
    adapters: Sequence[Path], modules: Mapping[str, nn.Linear]
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """A [adapters, r, in] and scaled B [adapters, out, r] of each module, filled up with zeros to the largest rank."""
    read = [(read_config(adapter), load_file(adapter / WEIGHTS)) for adapter in adapters]
    rank = max(config.rank for config, _ in read)
    found = {}
    for name, module in modules.items():
        A = torch.zeros(len(adapters), rank, module.in_features)
        B = torch.zeros(len(adapters), module.out_features, rank)
        for nth, (config, tensors) in enumerate(read):
            if key(name, "A") in tensors:
                A[nth, : config.rank] = tensors[key(name, "A")]
                B[nth, :, : config.rank] = tensors[key(name, "B")] * config.scale_of(name)
        found[name] = A, B
    return found


def race(base: Base, adapters: Sequence[Path], asked: Sequence[Sequence[int]]) -> list[str]:
    """Rows of the table."""
    ways: dict[str, Callable[[], Answers]] = {
        "peft's layers, switched": lambda: by_peft(base, adapters, asked),
        "own layers, switched": lambda: one_by_one(beside, base, adapters, asked),
        "added into the matrices, from pristine": lambda: one_by_one(lora.adapted, base, adapters, asked),
        "batches that mix adapters": lambda: mixed(base, adapters, asked),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, Answers] = {}
    for repeat in range(REPEATS + 1):  # the first warms up
        for name, way in ways.items():
            started = time.process_time()
            answers[name] = way()
            if repeat:
                seconds[name].append(time.process_time() - started)
    first, *_ = ways
    lines = []
    for name in ways:
        alike = sum(answers[name][at] == answer for at, answer in answers[first].items())
        ratio = median(a / b for a, b in zip(seconds[first], seconds[name], strict=True))
        spread = f"{median(seconds[name]):.2f} ({min(seconds[name]):.2f} to {max(seconds[name]):.2f})"
        lines.append(f"| {name} | {spread} | **{ratio:.2f}×** | {alike} of {len(answers[first])} |")
    differ = {answers[first][adapters[0], at] for at in range(len(asked))}
    apart = sum(
        answers[first][adapters[0], at] != answers[first][adapters[-1], at] for at in range(len(asked))
    )
    lines += [
        "",
        f"{len(differ)} different answers of the first adapter; the last one answers {apart} of {len(asked)} otherwise.",
    ]
    return lines


def switching(base: Base, adapters: Sequence[Path]) -> str:
    """What putting an adapter on and taking it off takes."""
    taken = []
    for _ in range(REPEATS):
        for adapter in adapters:
            started = time.perf_counter()
            with lora.adapted(base, adapter):
                pass
            taken.append(time.perf_counter() - started)
    return f"Adding an adapter into the matrices and writing them anew afterwards takes {1000 * median(taken):.0f} ms."


def main(checkpoint: str = "") -> None:
    torch.set_num_threads(1)
    folder = Path(checkpoint) if checkpoint else shipped.zoo_folder("llama2-tiny")
    base = load(folder, Model(name=folder.name, uri=f"zoo:{folder.name}"), PIN, Runtime())
    texts = [text for task in shipped.data_names() for text, _ in prompts(task, "test", SAMPLES // 2)]
    asked = [
        prompt_ids(base, prompt_text(base, Prompt(sample_id="", before=text, input="", after="")))
        for text in texts
    ]
    with tempfile.TemporaryDirectory() as out:
        adapters = [
            learn(base, task, recipe, Path(out) / f"{task}-{recipe.name}")
            for task in shipped.data_names()
            for recipe in RECIPES
        ]
        lines = [
            f"# Adapters: {folder.name}",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, one thread; torch {torch.__version__}, transformers "
            f"{version('transformers')}, peft {version('peft')}.",
            "",
            f"{len(adapters)} adapters, {len(asked)} prompts each, {NEW_TOKENS} new tokens, batches of {ROWS}, float32. "
            f"Processor seconds: median, lowest and highest of {REPEATS} rounds in turn; the ratio is the rounds' median.",
            "",
            "| way | seconds | against peft's layers | answers equal to theirs |",
            "|---|--:|--:|--:|",
            *race(base, adapters, asked),
            "",
            switching(base, adapters),
        ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "adapters.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
