"""A training step with peft's layers in a plain loop, and with what the harness trains with.

    python -m benchmarks.races.lora_step

A Llama of 15 M parameters from a configuration, random weights: this measures time alone. 16 rows of 170 tokens, 25 of them
an answer; rank 16 on every linear layer; logits where there are answers, on both sides; AdamW fused; one thread. Both sides
step in turn in one process, and processor time counts, so that a busy machine disturbs both alike.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from harness.files.hardware import machine
from harness.neural.kernels import quick, quick_attention
from harness.neural.lora.config import targeted
from harness.neural.lora.factors import put_in
from harness.neural.lora.linear import TrainableLora

RESULTS = Path(__file__).parents[1] / "results"
STEPS, WARM = 9, 2  # of each side, and how many of them warm up
ROWS, TOKENS, ANSWER = 16, 170, 25


def model(dtype: torch.dtype) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=384,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=6,
        vocab_size=8192,
    )
    llama = LlamaForCausalLM(config)
    llama.to(dtype)  # type: ignore[arg-type]  # its decorator hides the signature of nn.Module.to
    return llama.eval().requires_grad_(False)


def stepper(llama: nn.Module, *, autocast: bool = False) -> Callable[[], float]:
    """A function that makes a step and gives the loss."""
    parameters = [parameter for parameter in llama.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, fused=True)
    ids = torch.randint(8192, (ROWS, TOKENS), generator=torch.Generator().manual_seed(0))
    asked = torch.zeros_like(ids, dtype=torch.bool)
    asked[:, -ANSWER - 1 : -1] = True
    labels = ids.roll(-1, dims=1)[asked]

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            logits = llama(input_ids=ids, use_cache=False, logits_to_keep=asked).logits
        loss = cross_entropy(logits.float(), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def by_peft(dtype: torch.dtype) -> Callable[[], float]:
    """The base in float32; in bfloat16 by autocast, as Trainer's `bf16=True` has it."""
    llama = model(torch.float32)
    torch.manual_seed(0)
    get_peft_model(llama, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear"))
    return stepper(llama, autocast=dtype == torch.bfloat16)


def by_harness(dtype: torch.dtype, *, quicker: bool) -> Callable[[], float]:
    llama = model(dtype)
    torch.manual_seed(0)
    for name, module in targeted(llama, "all-linear").items():
        assert isinstance(module, nn.Linear)
        put_in(llama, name, TrainableLora(module, 16, 2.0, 0.0))
    step = stepper(llama)

    def quick_step() -> float:
        cpu = torch.device("cpu")
        with quick(llama, cpu), quick_attention(cpu, dtype):
            return step()

    return quick_step if quicker else step


def race(dtype: torch.dtype) -> list[str]:
    """Rows of the table."""
    sides = {
        "peft's layers, plain loop": by_peft(dtype),
        "own layers": by_harness(dtype, quicker=False),
        "own layers, quicker norms, rotations and attention": by_harness(dtype, quicker=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    losses: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(STEPS):
        for name, step in sides.items():
            started = time.process_time()
            losses[name].append(step())
            seconds[name].append(time.process_time() - started)
    first, *_ = sides
    rows = []
    for name in sides:
        timed = seconds[name][WARM:]
        ratio = median(a / b for a, b in zip(seconds[first][WARM:], timed, strict=True))
        spread = f"{median(timed):.2f} ({min(timed):.2f} to {max(timed):.2f})"
        kind = str(dtype).removeprefix("torch.")
        rows.append(
            f"| {kind} | {name} | {spread} | **{ratio:.2f}×** | {losses[name][0]:.4f} | {losses[name][-1]:.4f} |"
        )
    return rows


def main() -> None:
    torch.set_num_threads(1)
    lines = [
        "# A training step",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, one thread; torch {torch.__version__}, transformers "
        f"{version('transformers')}, peft {version('peft')}.",
        "",
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"| type | side | processor seconds a step | against peft's layers | first loss | loss of step {STEPS} |",
        "|---|---|--:|--:|--:|--:|",
        *race(torch.float32),
        *race(torch.bfloat16),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "lora-step.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
