"""Gemma 2: Gemma with a sliding window in every second layer, and logits that are kept small."""

from dataclasses import replace

from harness.families import gemma

FAMILY = replace(
    gemma.FAMILY,
    name="gemma2",
    model_types=("gemma2",),
    checkpoints=("google/gemma-2-2b", "google/gemma-2-9b-it"),
    notes="Attention runs by transformers' eager kernel, because no other one can limit the logits of attention.",
)
