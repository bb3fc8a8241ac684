"""Where the harness's time goes in the prompt-heavy workload, and what its arithmetic alone would take.

    python -m benchmarks.races.profile

torch's profiler around the answers to 400 prompts, after a warm-up; the floor is the time of the same number of
multiplications in one large float32 product on this machine, for the matrices that every token goes through.
"""

import os
import time
from collections import defaultdict

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.lib.race import BENCH, write
from benchmarks.races.generation import WORKLOADS, asked

MODELS = ("llama-15m", "falcon-15m", "t5-15m")
KINDS = {
    "aten::mm": "matrix products",
    "aten::addmm": "matrix products",
    "aten::bmm": "matrix products",
    "aten::_scaled_dot_product_flash_attention_for_cpu": "attention",
    "aten::copy_": "copies of keys and values",
    "aten::index": "copies of keys and values",
    "aten::_index_put_impl_": "copies of keys and values",
    "aten::cat": "copies of keys and values",
}
SIDE, REPEATS = 1536, 12  # of the large product


def peak_flops() -> float:
    """Of one large float32 product."""
    a = torch.randn(SIDE, SIDE)
    a @ a
    started = time.perf_counter()
    for _ in range(REPEATS):
        a @ a
    return REPEATS * 2 * SIDE**3 / (time.perf_counter() - started)


def matrices(model: torch.nn.Module, part: str = "") -> int:
    """Parameters of the linear layers whose path begins so, but for the head's."""
    return sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name.startswith(part) and "lm_head" not in name
    )


def measure(name: str) -> dict[str, float]:
    from harness.backends import open_backend
    from harness.neural.huggingface import HuggingFace
    from harness.types import Decode, Model, ModelPin, Prompt, Runtime

    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    folder = f"file:{BENCH / 'models' / name}"
    runtime = Runtime(threads=torch.get_num_threads())
    backend = open_backend(Model(name="m", uri=folder, dtype="float32"), pin, runtime)
    assert isinstance(backend, HuggingFace)
    decode = Decode(max_new_tokens=WORKLOADS["prompt-heavy"][2])
    prompts = [
        Prompt(sample_id=str(at), before="", input=text, after="")
        for at, text in enumerate(asked("prompt-heavy"))
    ]
    list(backend.write(prompts, decode, "refuse", None))
    started = time.perf_counter()
    answers = list(backend.write(prompts, decode, "refuse", None))
    seconds = time.perf_counter() - started
    with profile(activities=[ProfilerActivity.CPU]) as found:
        list(backend.write(prompts, decode, "refuse", None))
    shares: dict[str, float] = defaultdict(float)
    for event in found.key_averages():
        shares[KINDS.get(event.key, "all else: norms, activations, sums")] += event.self_cpu_time_total
    total = sum(shares.values())
    read, written = sum(one.prompt_tokens for one in answers), sum(one.output_tokens + 1 for one in answers)
    model = backend.base.model
    head = model.get_output_embeddings().weight.numel()
    if backend.base.architecture.name == "seq2seq":
        crossed = sum(  # the decoder's keys and values of the prompt
            module.weight.numel()
            for path, module in model.named_modules()
            if path.endswith(("EncDecAttention.k", "EncDecAttention.v"))
        )
        own = matrices(model, "decoder") - crossed
        work = read * (matrices(model, "encoder") + crossed) + written * (own + head)
    else:
        work = (read + written) * matrices(model) + written * head
    return {"seconds": seconds, "floor": 2 * work / peak_flops(), **{k: v / total for k, v in shares.items()}}


def main() -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    rows = {name: measure(name) for name in MODELS}
    kinds = [*dict.fromkeys(KINDS.values()), "all else: norms, activations, sums"]
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        f"| model | seconds | floor of the products, s | {' | '.join(kinds)} |",
        "|---|--:|--:|" + "--:|" * len(kinds),
        *(
            f"| {name} | {row['seconds']:.2f} | {row['floor']:.2f} | "
            + " | ".join(f"{row.get(kind, 0):.0%}" for kind in kinds)
            + " |"
            for name, row in rows.items()
        ),
    ]
    write("profile", "Where the time of answers goes", lines, ("torch", "transformers"))


if __name__ == "__main__":
    main()
