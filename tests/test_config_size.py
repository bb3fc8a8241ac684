"""A config.json cannot claim a model that its tensors are not."""

import json
from pathlib import Path

import pytest

from harness import shipped
from harness.config_size import refuse_oversized
from harness.errors import ModelError
from harness.tensors import TensorFile

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
        ModelError, match=rf"^{WHERE}: {said}.*; take the config\.json of these weights"
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


@pytest.mark.parametrize("name", ["falcon-tiny", "flan-t5-tiny", "llama2-tiny", "mistral-tiny"])
def test_the_tiny_models_pass(name: str) -> None:
    folder = shipped.zoo_folder(name)
    file = TensorFile(folder / "model.safetensors")
    shapes = {name: file.shape(name) for name in file.names}
    refuse_oversized(json.loads((folder / "config.json").read_text()), shapes, folder / "config.json")
