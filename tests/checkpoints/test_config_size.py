"""A config.json cannot claim a model that its tensors are not."""

import json
from pathlib import Path

import pytest

from harness.checkpoints.config_size import refuse_not_whole, refuse_oversized
from harness.checkpoints.safetensors import TensorFile
from harness.errors import ModelError
from harness.files import shipped

WHERE = Path("model") / "config.json"
LLAMA = {"model.embed_tokens.weight": (128, 32), "model.norm.weight": (32,)} | {
    f"model.layers.{layer}.self_attn.q_proj.weight": (32, 32) for layer in range(12)
}
GPT2 = {"wte.weight": (128, 32), "wpe.weight": (64, 32), "h.0.attn.c_attn.weight": (32, 96)}


@pytest.mark.parametrize(
    ("tensors", "config", "said"),
    [
        (LLAMA, {"num_hidden_layers": 10**6}, r"num_hidden_layers: found 1,000,000, the tensors have 12 layers"),
        (LLAMA, {"num_hidden_layers": 149}, r"num_hidden_layers: found 149, the tensors have 12 layers"),
        (LLAMA, {"num_hidden_layers": 1e300}, "num_hidden_layers: found a number of more than 18 digits"),
        (LLAMA, {"num_hidden_layers": float("inf")}, "num_hidden_layers: found"),
        (LLAMA, {"num_hidden_layers": float("nan")}, "num_hidden_layers: found NaN"),
        (LLAMA, {"text_config": {"num_hidden_layers": 10**400}}, "num_hidden_layers: found a number of more"),
        (LLAMA, {"hidden_size": 10**6}, r"hidden_size: found 1,000,000, the largest side of any tensor is 128"),
        (LLAMA, {"vocab_size": 10**12}, "vocab_size: found"),
        (LLAMA, {"intermediate_size": [64, 10**9]}, "intermediate_size: found 1,000,000,000"),
        (LLAMA, {"num_local_experts": 10**7}, "num_local_experts: found"),
        (LLAMA, {"max_position_embeddings": 10**12}, "max_position_embeddings: found .* known are up to"),
        (GPT2, {"n_positions": 10**6}, "n_positions: found 1,000,000, the table of positions has 64"),
        ({"norm.weight": (32,)}, {"n_layer": 10**6}, "n_layer: found 1,000,000, no tensor's name has"),
    ],
)  # fmt: skip
def test_a_model_larger_than_its_tensors_is_refused_by_file_and_key(
    tensors: dict[str, tuple[int, ...]], config: dict[str, object], said: str
) -> None:
    with pytest.raises(
        ModelError, match=rf"^{WHERE}: {said}.*; use the config\.json of these weights"
    ) as told:
        refuse_oversized(config, tensors, WHERE)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize(
    ("tensors", "config"),
    [
        (LLAMA, {"num_hidden_layers": 12, "hidden_size": 32, "vocab_size": 128, "head_dim": 8}),
        (LLAMA, {"num_hidden_layers": 24}),  # a shard is missing: the tensors that lack are named
        (LLAMA, {"max_position_embeddings": 10_485_760, "num_hidden_layers": None, "hidden_size": "32"}),
        (GPT2, {"n_positions": 64, "n_ctx": 64, "n_layer": 1}),
        # ALBERT has twelve blocks of one group's layers.
        ({"albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight": (64, 32)},
         {"num_hidden_layers": 12, "num_hidden_groups": 1}),
        # nf4 packs two numbers, GPTQ eight.
        ({"model.layers.0.mlp.up_proj.weight": (2048, 1), "model.norm.weight": (64,)}, {"hidden_size": 64}),
        ({}, {"num_hidden_layers": 10**6}),
    ],
)  # fmt: skip
def test_what_models_say_passes(tensors: dict[str, tuple[int, ...]], config: dict[str, object]) -> None:
    refuse_oversized(config, tensors, WHERE)


@pytest.mark.parametrize("name", shipped.zoo_names())
def test_the_tiny_models_pass(name: str) -> None:
    folder = shipped.zoo_folder(name)
    file = TensorFile(folder / "model.safetensors")
    shapes = {name: file.shape(name) for name in file.names}
    refuse_oversized(json.loads((folder / "config.json").read_text()), shapes, folder / "config.json")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"num_attention_heads": 0}, "num_attention_heads: found 0; give a whole number from 1"),
        ({"n_layer": -1}, "n_layer: found -1; give a whole number from 1"),
        ({"text_config": {"hidden_size": "big"}}, "hidden_size: found 'big'; give a whole number from 1"),
        ({"vocab_size": True}, "vocab_size: found true; give a whole number from 1"),
        ({"n_positions": {"a": 1}}, "n_positions: found a mapping; give a whole number from 1"),
        ({"intermediate_size": [64, 0]}, "intermediate_size: found 0; give a whole number from 1"),
        ({"head_dim": 0.5}, "head_dim: found 0.5; give a whole number from 1"),
        ({"num_experts": -1}, "num_experts: found -1; give a whole number from 0"),
    ],
)
def test_a_size_that_nothing_can_have_is_refused_by_file_and_key(
    config: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError) as told:
        refuse_not_whole(config, WHERE)
    assert str(told.value) == f"{WHERE}: {said}"


@pytest.mark.parametrize(
    "config",
    [
        {"hidden_size": 32, "n_inner": None, "intermediate_size": [64, 64], "text_config": None},
        {"type_vocab_size": 0, "num_local_experts": 0, "n_embd": 32.0},
        {"vision_config": {"hidden_size": 0}},
    ],
)
def test_sizes_that_a_model_may_have_pass(config: dict[str, object]) -> None:
    refuse_not_whole(config, WHERE)
