"""Gorilla OpenFunctions v2: DeepSeek Coder, with Llama's names, tuned to write calls of functions."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="gorilla2",
    model_types=(),
    tuned_from="llama",
    repositories=("gorilla-llm/gorilla-openfunctions-v2*",),
    checkpoints=("gorilla-llm/gorilla-openfunctions-v2",),
    notes=(
        "The functions come first, then the question. The frame around both, `### Instruction:` and `### Response:`, comes "
        "from its tokenizer's chat template: leave `chat` at `auto`."
    ),
)
