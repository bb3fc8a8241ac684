"""Which checkpoints can only be asked greedily, by config.json, against what the decoder itself does."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig

from harness import kinds
from harness.backends import hf
from harness.checkpoints.remembered import Remembered
from harness.checkpoints.samples import only_greedy
from harness.types import Decode, Model, Source, Task
from tests.families.variants import VARIANTS

FIELDS: dict[str, Any] = {
    "source": Source(uri="file:x"),
    "prompt": "$input",
    "metrics": ("extract",),
    "primary": "extract",
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_familys_models_are_judged_as_the_decoder_treats_them(name: str) -> None:
    from harness.neural.architectures import of
    from harness.neural.cache import only_attention

    config = AutoConfig.for_model(VARIANTS[name].model_type, **VARIANTS[name].settings)
    writing = of(config.to_dict()).writing
    assert writing is not None
    slots = only_attention(config.get_text_config(decoder=True)) and writing.mixes_ages(config)
    assert only_greedy(config.to_dict()) is (not slots)


@pytest.mark.slow
def test_every_decoder_and_encoder_decoder_of_transformers_is_judged_as_the_decoder_treats_it() -> None:
    from transformers.models.auto import modeling_auto as tables

    from harness.neural.architectures import find
    from harness.neural.cache import only_attention

    causal, seq2seq = find("causal").writing, find("seq2seq").writing
    assert causal is not None and seq2seq is not None
    judged = 0
    for kind in {
        **tables.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        **tables.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    }:
        try:
            config = AutoConfig.for_model(kind)
            kept = only_attention(config.get_text_config(decoder=True))
            said = {"model_type": kind, "is_encoder_decoder": config.is_encoder_decoder}
        except Exception:  # a configuration that transformers itself cannot make from its defaults
            continue
        writing = seq2seq if config.is_encoder_decoder else causal
        assert only_greedy(said) is not (kept and writing.mixes_ages(config)), kind
        judged += 1
    assert judged > 100


@pytest.mark.parametrize(
    ("config", "greedy"),
    [
        ({"model_type": "bart", "is_encoder_decoder": True}, True),
        ({"model_type": "x", "is_encoder_decoder": True, "relative_attention_num_buckets": 32}, False),
        ({"model_type": "mamba"}, True),
        ({"model_type": "new", "layer_types": ["full_attention", "conv"]}, True),
        ({"model_type": "new", "text_config": {"layer_types": ["linear_attention"]}}, True),
        ({"model_type": "gemma3", "text_config": {"layer_types": ["sliding_attention"]}}, False),
        ({"model_type": "new", "layer_types": 5}, False),
        ({}, False),
    ],
)
def test_a_configuration_says_whether_its_model_can_be_sampled_from(
    config: dict[str, object], greedy: bool
) -> None:
    assert only_greedy(config) is greedy


@pytest.mark.parametrize("settings", [{"votes": 3}, {}])
def test_a_task_that_samples_is_not_applicable_to_a_model_that_only_answers_greedily(
    settings: dict[str, int], tmp_path: Path
) -> None:
    """Before anything runs: `check`, `plan` and the report say so, and no step fails."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bart", "is_encoder_decoder": True}))
    (tmp_path / "tokenizer.json").write_text("{}")
    save_file({"shared.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    model = Model(name="bart", uri=f"file:{tmp_path}")
    pin = hf.pin(model, "cpu", Remembered.load(tmp_path / "digests.json"), True)
    kind = kinds.find("generate")
    sampled = Task(name="t", decode=Decode(temperature=0.7), settings=settings, **FIELDS)
    assert kind.verb(sampled, model, pin) is None
    assert kind.lacks(sampled, model, pin) == f"{model.uri} only answers greedily, which is temperature 0"
    assert kind.verb(Task(name="t", **FIELDS), model, pin) == "write"


def test_what_follows_from_the_files_does_not_rename_a_step() -> None:
    from dataclasses import replace

    from harness.digest import digest
    from harness.types import ModelPin

    pin = ModelPin(revision="r", parameters=1, checkpoint_bytes=1, dtype="float32", family="bart")
    assert digest(pin) == digest(replace(pin, greedy=True))
