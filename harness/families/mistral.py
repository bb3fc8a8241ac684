"""Mistral: Llama's names, with grouped queries and a sliding window."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(llama.FAMILY, name="mistral", model_types=("mistral", "ministral"))
