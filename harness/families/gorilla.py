"""Gorilla OpenFunctions v0 and v1: Llama-2, tuned to write calls of functions, in a format of its own."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="gorilla",
    model_types=(),
    tuned_from="llama",
    repositories=("gorilla-llm/gorilla-openfunctions-v[01]*",),
    checkpoints=("gorilla-llm/gorilla-openfunctions-v0", "gorilla-llm/gorilla-openfunctions-v1"),
    notes="The question comes first, then the functions, between `USER:` and `ASSISTANT:`.",
)
