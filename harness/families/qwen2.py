"""Qwen2 and Qwen2.5: Llama's names, with biases on q, k and v."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="qwen2",
    model_types=("qwen2",),
    begins="none",
    checkpoints=("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B-Instruct"),
    notes="Where `use_sliding_window` is on, the layers from `max_window_layers` on have a sliding window.",
)
