"""Every number of a foreign adapter_config.json is checked before anything is worked out from it."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.checkpoints.adapter import read, read_settings
from harness.errors import AdapterError


def written(folder: Path, text: str) -> Path:
    """An adapter of one module, with these settings as JSON text over the usual ones."""
    A, B = np.ones((4, 6), np.float32), np.ones((5, 4), np.float32)
    save_file({"x.lora_A.weight": A, "x.lora_B.weight": B}, folder / "adapter_model.safetensors")
    usual = '{"peft_type": "LORA", "r": 4, "lora_alpha": 8'
    (folder / "adapter_config.json").write_text(f"{usual}, {text}}}" if text else f"{usual}}}")
    return folder


BAD = [
    *(f'"lora_alpha": {one}' for one in ("NaN", "Infinity", "-1", "0", '"8"', "true", "null", "1e308")),
    *(f'"r": {one}' for one in ("NaN", "0", "-4", "4.0", '"4"', "true", "null", "10000000")),
    *(f'"lora_dropout": {one}' for one in ("NaN", "-0.1", "1.5", '"0"', "true", "null")),
    *(f'"rank_pattern": {{"x": {one}}}' for one in ("NaN", "0", '"4"', "2.5", "true")),
    *(f'"alpha_pattern": {{"x": {one}}}' for one in ("NaN", "-Infinity", "0", '"4"', "1e30", "true")),
    *('"rank_pattern": [4]', '"alpha_pattern": 3', '"target_modules": 5', '"exclude_modules": [5]'),
    *(f'"lora_alpha": {10**400}', f'"r": {10**400}', '"qalora_group_size": NaN'),
    *('"loftq_config": {"loftq_iter": 1000000}', '"init_lora_weights": "pissa_niter_1000000000"'),
    *('"layer_replication": [[0, 1000000000]]', '"layer_replication": 3', '"base_model_name_or_path": 3'),
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:40])
def test_a_number_that_cannot_be_is_refused_by_file_and_key(tmp_path: Path, text: str) -> None:
    key = next(iter(json.loads(f"{{{text}}}")))
    for reads in (read, lambda folder: read_settings(folder, "measured")):
        with pytest.raises(
            AdapterError, match=rf"adapter_config\.json: {key}.*: found .*; expected .*"
        ) as told:
            reads(written(tmp_path, text))
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize("text", [f'"r": 1{"0" * 5000}', f'"x": {"[" * 100_000}'], ids=["digits", "nested"])
def test_what_python_cannot_read_is_refused_too(tmp_path: Path, text: str) -> None:
    with pytest.raises(AdapterError, match=r"adapter_config\.json: "):
        read_settings(written(tmp_path, text), "measured")


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"lora_alpha": 0.5, "lora_dropout": 1, "use_rslora": true',
        '"rank_pattern": {"x": 4}, "alpha_pattern": {"x": 2.5}',
        '"rank_pattern": null, "alpha_pattern": null, "target_modules": null',
        '"init_lora_weights": "pissa_niter_16", "layer_replication": [[0, 2], [1, 3]]',
        '"trainable_token_indices": {"embed_tokens": [1, 2]}, "layers_to_transform": [0]',
    ],
)
def test_settings_that_peft_writes_pass(tmp_path: Path, text: str) -> None:
    assert read_settings(written(tmp_path, text), "measured")["peft_type"] == "LORA"
