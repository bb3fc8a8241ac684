"""The sizes of a model by its config.json alone equal those of its tensors, and of published models."""

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints import shape as sizes
from harness.checkpoints.safetensors import TensorFile
from harness.checkpoints.shape import shape
from harness.errors import ModelError
from harness.files.shipped import zoo_folder, zoo_names

# Of a table of positions, and of an encoder's heads of pretraining.
SMALL = (
    "relative_attention_bias",
    "position_embeddings",
    "token_type",
    "pooler",
    "transform.dense",
    "relationship",
)
PUBLISHED = json.loads((Path(__file__).parents[2] / "tools" / "hardware" / "configs.json").read_text())


def zoo(name: str) -> tuple[dict[str, Any], TensorFile]:
    folder = zoo_folder(name)
    return json.loads((folder / "config.json").read_text()), TensorFile(folder / "model.safetensors")


@pytest.mark.parametrize("name", zoo_names())
def test_the_parameters_of_every_tiny_model_are_those_of_its_matrices(name: str) -> None:
    config, file = zoo(name)
    matrices = {tensor: file.shape(tensor) for tensor in file.names if len(file.shape(tensor)) == 2}
    small = [tensor for tensor in matrices if any(part in tensor for part in SMALL)]
    found = shape(config)
    if config["model_type"] == "albert":
        # A token goes through the one stored layer as often as there are layers.
        layer = sum(
            prod(found_shape) for tensor, found_shape in matrices.items() if "albert_layers" in tensor
        )
        assert found.decoder_parameters == found.layers * layer
        return
    assert found.parameters == sum(
        prod(found_shape) for tensor, found_shape in matrices.items() if tensor not in small
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_parameters_of_a_published_model_are_those_that_its_authors_name(name: str) -> None:
    entry = PUBLISHED[name]
    assert shape(entry["config"], name).parameters == pytest.approx(entry["published_parameters"], rel=0.01)


def test_one_token_of_a_llama_of_7b_has_512_kilobytes_of_keys_and_values_in_bfloat16() -> None:
    """2 · 32 layers · 4,096 numbers · 2 bytes (Kwon et al. 2023 give 800 KB for 13 B, of 40 layers and 5,120)."""
    found = shape(PUBLISHED["llama2-7b"]["config"])
    assert 2 * found.cached == 512 * 1024 == 2 * sizes.cached(PUBLISHED["llama2-7b"]["config"])
    large = {**PUBLISHED["llama2-7b"]["config"], "hidden_size": 5120, "num_hidden_layers": 40}
    large |= {"num_attention_heads": 40, "num_key_value_heads": 40}
    assert 2 * shape(large).cached == 800 * 1024


def test_a_falcon_of_7b_has_one_head_of_keys_whatever_num_kv_heads_says() -> None:
    config = {**PUBLISHED["falcon-7b"]["config"], "num_kv_heads": 71}
    assert shape(config).shared_heads == 1
    assert shape({**config, "new_decoder_architecture": True, "num_kv_heads": 8}).shared_heads == 8


def test_the_sizes_of_a_nested_configuration_are_those_of_its_text_model() -> None:
    text = PUBLISHED["mistral-7b"]["config"]
    assert shape({"model_type": "mistral3", "text_config": text, "hidden_size": 7}) == shape(text)


@pytest.mark.parametrize("key", ["hidden_size", "num_attention_heads", "num_hidden_layers", "vocab_size"])
@pytest.mark.parametrize("value", [None, 0, -1, True, "8", [8]])
def test_a_size_that_is_missing_or_no_whole_number_is_named(key: str, value: object) -> None:
    config = {**PUBLISHED["llama2-7b"]["config"], key: value}
    with pytest.raises(ModelError, match=rf"^model m: config\.json: found no {key}"):
        shape(config, "model m: config.json")
