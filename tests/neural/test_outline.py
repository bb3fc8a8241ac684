"""What the field uses is found sound from its headers, and loads; an encoder is refused by what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from harness import families
from harness.errors import ModelError
from harness.neural.architectures import writing
from harness.neural.examine import examine
from harness.neural.load import Base, load, outline
from harness.types import Model, ModelPin, Runtime

PIN = ModelPin(revision="0", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
DECODER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
           "num_key_value_heads": 4, "head_dim": 8, "max_position_embeddings": 64, "pad_token_id": 0}  # fmt: skip
ENCODER = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "pad_token_id": 0,
           "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}  # fmt: skip
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
FIELD: dict[str, dict[str, Any]] = {
    "llama": DECODER,
    "mistral": DECODER,
    "qwen2": DECODER,
    "qwen3": DECODER,
    "gemma": DECODER,
    "gemma2": DECODER,
    "phi": DECODER,
    "mixtral": {**DECODER, "num_local_experts": 2},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "gpt_neox": {**DECODER, "rotary_pct": 0.5},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    "opt": {**DECODER, "ffn_dim": 64, "word_embed_proj_dim": 32},
    "mpt": {"d_model": 32, "n_layers": 2, "n_heads": 4},
    "falcon": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    "bert": {**DECODER, "is_decoder": True},
    "bart": ENCODER,
    "t5": T5,
    "mt5": T5,
    "gemma3": {
        "text_config": DECODER,
        "vision_config": {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    },
}  # fmt: skip


def saved(kind: str, folder: Path, tokenizer: Any, auto: Any = None) -> Any:
    """A random model of two layers, as `save_pretrained` leaves it."""
    size = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0}
    settings: dict[str, Any] = dict(FIELD.get(kind, DECODER))
    if "text_config" in settings:
        settings["text_config"] = settings["text_config"] | size
    config = AutoConfig.for_model(kind, **settings, **({} if "text_config" in settings else size))
    torch.manual_seed(0)
    auto = auto or (AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM)
    model = auto.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(name="mine", uri=f"file:{tmp_path / 'model'}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FIELD)
def test_what_the_field_uses_is_sound_and_loads(
    kind: str, model: Model, tmp_path: Path, tokenizers_of: Callable[[str], Any]
) -> None:
    folder = tmp_path / "model"
    begins = families.of(kind).begins == "bos"
    made = saved(kind, folder, tokenizers_of("llama" if begins else "falcon"))
    assert list(examine(folder, model, PIN, Runtime(), {})) == []
    thin, whole = outline(folder, model, PIN, Runtime()), load(folder, model, PIN, Runtime())

    def told(base: Base) -> tuple[object, ...]:
        return (
            type(base.model),
            base.digest,
            base.window,
            base.bos,
            base.pad,
            base.ends,
            base.architecture,
            base.unused,
        )

    assert told(thin) == told(whole)
    assert {parameter.device.type for parameter in thin.model.parameters()} == {"meta"}
    assert type(whole.model) is type(made)


def test_a_bare_model_whose_head_is_tied_is_sound(
    model: Model, tmp_path: Path, tokenizers_of: Callable[[str], Any]
) -> None:
    folder = tmp_path / "model"
    whole = saved("gpt2", tmp_path / "whole", tokenizers_of("falcon"))
    whole.transformer.save_pretrained(folder)
    tokenizers_of("falcon").save_pretrained(folder)
    assert list(examine(folder, model, PIN, Runtime(), {})) == []


def test_an_encoder_that_transformers_would_make_a_decoder_of_stays_one_and_writes_nothing(
    model: Model, tmp_path: Path, tokenizers_of: Callable[[str], Any]
) -> None:
    folder = tmp_path / "model"
    saved("roberta", folder, tokenizers_of("falcon"), AutoModelForMaskedLM)
    assert type(AutoModelForCausalLM.from_pretrained(folder)).__name__ == "RobertaForCausalLM"
    for opened in (outline, load):
        base = opened(folder, model, PIN, Runtime())
        assert type(base.model).__name__ == "RobertaForSequenceClassification"
        assert base.head == ("classifier",)
        with pytest.raises(ModelError, match="'encoder' writes no text"):
            writing(base)
