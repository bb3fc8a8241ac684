"""A folder with a model of a variant, and prompts for it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import processors
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

from harness.types import Prompt
from tests.families.variants import VARIANTS, Habit, Variant
from tests.neural.conftest import SENTENCES, make_tokenizer

BEFORE = "Read what two people wrote, then say in a few words of your own: "  # long enough to be read once for all prompts


def tokenizer_of(habit: Habit) -> PreTrainedTokenizerFast:
    """A tokenizer of a few sentences, with the special tokens that a family's own puts around a text."""
    if habit in ("plain", "ends"):
        return make_tokenizer("falcon" if habit == "plain" else "t5")
    tokenizer = make_tokenizer("llama")
    pieces = {"surrounds": "<s> $A </s>", "begins with its end": "</s> $A"}
    if habit in pieces:
        special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<s>", "</s>")]
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=pieces[habit], special_tokens=special
        )
    if habit == "begins with its end":
        tokenizer.bos_token = "</s>"
    return tokenizer


def make(variant: Variant, folder: Path) -> Path:
    """Write a model with random weights and its tokenizer to a folder in the hub's layout."""
    tokenizer = tokenizer_of(variant.habit)
    special = {"vocab_size": len(tokenizer), "bos_token_id": tokenizer.bos_token_id,
               "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}  # fmt: skip
    if variant.family in ("t5", "bart"):
        start = tokenizer.pad_token_id if variant.family == "t5" else tokenizer.eos_token_id
        special["decoder_start_token_id"] = start
    torch.manual_seed(0)
    config = AutoConfig.for_model(variant.model_type, **special | dict(variant.settings))
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = kind.from_config(config)
    with (
        torch.no_grad()
    ):  # wide enough apart that no two logits are nearly equal, and biases that a model must not lose
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
            elif parameter.ndim == 2:
                embeds = "embed" in name or "shared" in name
                parameter.normal_(std=variant.embedding_std if embeds else variant.std)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def prompts(count: int = 6) -> list[Prompt]:
    """Prompts of very different lengths, most of them longer than a sliding window here."""
    words = " ".join(SENTENCES).split()
    return [
        Prompt(
            sample_id=f"s{nth}",
            before=BEFORE,
            input=" ".join(words[nth : nth + 1 + (7 * nth) % 29]),
            after=" Summary:",
        )
        for nth in range(count)
    ]


def each() -> list[Any]:
    """A parameter for each variant; those that do not stand for their family are slow."""
    return [
        pytest.param(name, marks=[] if variant.quick else [pytest.mark.slow])
        for name, variant in VARIANTS.items()
    ]
