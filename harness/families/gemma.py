"""Gemma: Llama's names, with tied embeddings that are scaled by the root of their width."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="gemma",
    model_types=("gemma",),
    begins="bos",
    checkpoints=("google/gemma-2b", "google/gemma-7b-it"),
    notes="It has only seen texts that begin with BOS: `harness check` warns of a tokenizer that puts none.",
)
