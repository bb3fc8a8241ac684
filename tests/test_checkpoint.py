"""A checkpoint's folder, read without loading it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import checkpoint, shipped
from harness.errors import ModelError


def make(folder: Path, model_type: str = "llama") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    save_file(
        {"a.weight": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16)}, folder / "model.safetensors"
    )
    return folder


def test_parameters_and_bytes_are_counted_from_headers(tmp_path: Path) -> None:
    found = checkpoint.read(make(tmp_path))
    assert (found.model_type, found.parameters, found.stored_bytes) == ("llama", 17, 58)


def test_shards_are_counted_together(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "model-00001-of-00002.safetensors")
    save_file({"c": np.zeros((2, 2), np.float32)}, tmp_path / "model-00002-of-00002.safetensors")
    index = {
        "weight_map": {
            "a.weight": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors",
        }
    }
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert checkpoint.read(tmp_path).parameters == 21
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(
        ModelError,
        match=r"model-00002-of-00002\.safetensors is missing, which model\.safetensors\.index\.json names",
    ):
        checkpoint.read(tmp_path)


def test_shipped_models_are_small() -> None:
    for name in shipped.zoo_names():
        found = checkpoint.read(shipped.zoo_folder(name))
        assert 1_000_000 <= found.parameters <= 2_000_000
        assert found.stored_bytes <= 8_000_000


def test_pickles_are_refused_with_the_way_out(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(
        ModelError,
        match=re.escape(
            f"found pytorch_model.bin, a pickle, which may run code; run `harness convert {tmp_path}`"
        ),
    ):
        checkpoint.read(tmp_path)


@pytest.mark.parametrize(
    ("broken", "content", "message"),
    [
        ("model.safetensors", b"", "not safetensors, or torn"),
        ("model.safetensors", b"\xff" * 40, "not safetensors, or torn (header of"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0[]", "not safetensors, or torn"),
        ("config.json", b"{", "no readable config.json"),
        ("config.json", b"[]", "no readable config.json"),
    ],
)
def test_a_torn_file_is_named(tmp_path: Path, broken: str, content: bytes, message: str) -> None:
    (make(tmp_path) / broken).write_bytes(content)
    with pytest.raises(ModelError, match=re.escape(f"{tmp_path / broken}: {message}")):
        checkpoint.read(tmp_path)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    (make(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"found no model\.safetensors; give a checkpoint's folder"):
        checkpoint.read(tmp_path)
    with pytest.raises(ModelError, match="no such folder"):
        checkpoint.read(tmp_path / "nowhere")


def test_read_mes_and_training_logs_do_not_make_a_model(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("README.md", "loss.json", "optimizer.pt", "tokenizer.json"):
        (tmp_path / name).touch()
    names = [path.name for path in checkpoint.identity(tmp_path, checkpoint.FILES)]
    assert names == ["config.json", "model.safetensors", "tokenizer.json"]
