"""Mistral: Llama's names, with grouped queries and a sliding window."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="mistral",
    model_types=("mistral", "ministral"),
    begins="bos",
    checkpoints=("mistralai/Mistral-7B-v0.1", "mistralai/Mistral-7B-Instruct-v0.2"),
    notes="Version 0.1 has a sliding window of 4096 tokens in every layer; later versions have none.",
)
