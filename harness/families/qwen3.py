"""Qwen3: Llama's names, with a norm on each head's queries and keys."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="qwen3",
    model_types=("qwen3",),
    begins="none",
    checkpoints=("Qwen/Qwen3-0.6B", "Qwen/Qwen3-8B"),
    notes="The width of a head is its own setting, so q and o need not be square.",
)
