"""Meditron: Llama-2, trained further on medicine, and tuned on exam questions in a format of its own."""

from dataclasses import replace

from harness.families import llama

FAMILY = replace(
    llama.FAMILY,
    name="meditron",
    model_types=(),
    tuned_from="llama",
    repositories=("epfl-llm/meditron-*",),
    checkpoints=("epfl-llm/meditron-7b", "epfl-llm/meditron-70b"),
    notes=(
        "Its authors tune it on exam questions between `<|im_start|> question` and `<|im_start|> answer`. The released "
        "checkpoints are those before that tuning: an adapter learns the format."
    ),
)
