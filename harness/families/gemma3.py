"""Gemma 3: Gemma with a sliding window in most layers, and rotary positions of two kinds."""

from dataclasses import replace

from harness.families import gemma

FAMILY = replace(
    gemma.FAMILY,
    name="gemma3",
    model_types=("gemma3_text", "gemma3"),
    checkpoints=("google/gemma-3-270m", "google/gemma-3-1b-it"),
    notes="`gemma3_text` reads text alone; `gemma3` also has a part that sees, whose matrices have the same names.",
)
