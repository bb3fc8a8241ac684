"""One base in memory answers for itself and for all its adapters."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from harness.backends import open_backend
from harness.errors import AdapterError, ModelError
from harness.neural import lora
from harness.neural.huggingface import HuggingFace
from harness.types import Decode, Model, ModelPin, Prompt, Recipe, Runtime

PIN = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
PROMPTS = [Prompt(sample_id=f"s{n}", before="say ", input="anna " * n, after="so") for n in range(1, 4)]
DECODE = Decode(max_new_tokens=4)


@pytest.fixture
def backend(tmp_path: Path) -> HuggingFace:
    words = ["<s>", "</s>", "say", "anna", "so", "ben", "cara"]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="so"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    fast.save_pretrained(tmp_path / "model")
    config = LlamaConfig(
        vocab_size=7, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        bos_token_id=0, eos_token_id=1, initializer_range=0.5,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    opened = open_backend(Model(name="own", uri=f"file:{tmp_path / 'model'}"), PIN, Runtime())
    assert isinstance(opened, HuggingFace)
    return opened


def test_the_base_answers_the_same_before_and_after_an_adapter(backend: HuggingFace, tmp_path: Path) -> None:
    model = lora.attach(backend.base, Recipe(name="r", rank=2, steps=1, targets=("all-linear",)), seed=0)
    lora.save(model, backend.base, tmp_path / "adapter", {k: t + 1 for k, t in lora.factors(model).items()})
    lora.detach(model)
    before = list(backend.write(PROMPTS, DECODE, "keep-start", None))
    adapted = list(backend.write(PROMPTS, DECODE, "keep-start", tmp_path / "adapter"))
    assert before != adapted
    assert list(backend.write(PROMPTS, DECODE, "keep-start", None)) == before


def test_an_answer_left_half_read_leaves_the_base_as_it_was(backend: HuggingFace, tmp_path: Path) -> None:
    model = lora.attach(backend.base, Recipe(name="r", rank=2, steps=1, targets=("all-linear",)), seed=0)
    lora.save(model, backend.base, tmp_path / "adapter", {k: t + 1 for k, t in lora.factors(model).items()})
    lora.detach(model)
    before = list(backend.write(PROMPTS, DECODE, "keep-start", None))
    answers = backend.write(PROMPTS, DECODE, "keep-start", tmp_path / "adapter")
    next(answers)
    assert list(backend.write(PROMPTS, DECODE, "keep-start", None)) == before


def test_an_adapter_that_does_not_fit_leaves_the_base_to_the_next_question(
    backend: HuggingFace, tmp_path: Path
) -> None:
    before = list(backend.write(PROMPTS, DECODE, "keep-start", None))
    with pytest.raises(AdapterError):
        list(backend.write(PROMPTS, DECODE, "keep-start", tmp_path / "missing"))
    assert list(backend.write(PROMPTS, DECODE, "keep-start", None)) == before


def test_tokens_are_those_that_the_model_gets(backend: HuggingFace) -> None:
    text, ids = backend.tokens(PROMPTS[1], "keep-start")
    assert (text, ids) == ("<s> say anna anna so", [0, 2, 3, 3, 4])
    assert next(iter(backend.write(PROMPTS[1:2], DECODE, "keep-start", None))).prompt_tokens == 5


def test_weights_that_are_not_finite_are_told_with_model_adapter_and_sample(
    backend: HuggingFace, tmp_path: Path
) -> None:
    model = lora.attach(backend.base, Recipe(name="r", rank=2, steps=1, targets=("all-linear",)), seed=0)
    huge = {k: torch.full_like(t, 1e18) for k, t in lora.factors(model).items()}  # and so is B·A: finite
    lora.save(model, backend.base, tmp_path / "adapter", huge)
    lora.detach(model)
    before = list(backend.write(PROMPTS, DECODE, "keep-start", None))
    with pytest.raises(
        ModelError, match=r"own with the adapter in .*adapter in float32: sample 's\d': the logits"
    ):
        list(backend.write(PROMPTS, DECODE, "keep-start", tmp_path / "adapter"))
    assert list(backend.write(PROMPTS, DECODE, "keep-start", None)) == before


def test_a_closed_model_says_so(backend: HuggingFace) -> None:
    backend.close()
    with pytest.raises(ValueError, match="closed"):
        list(backend.write(PROMPTS, DECODE, "keep-start", None))
