"""A checkpoint's folder, read without loading it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from harness.checkpoints import folder as checkpoint
from harness.errors import ModelError
from harness.files import shipped


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
        ("model.safetensors", b"", "not a safetensors file, or its header is torn"),
        ("model.safetensors", b"\xff" * 40, "not a safetensors file, or its header is torn"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0[]", "not a safetensors file, or its header is torn"),
        ("config.json", b"{", "broken: not JSON"),
        ("config.json", b"\xff", "broken: not JSON"),
        ("config.json", b"[]", "broken: a JSON list, expected an object of names and values"),
        ("config.json", b'{"model_type": 7}', "model_type is 7"),
        ("config.json", None, "no such file"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, broken: str, content: bytes | None, message: str) -> None:
    path = make(tmp_path) / broken
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
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


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{", "broken: not JSON"),
        ("[]", "broken: a JSON list"),
        ("{}", "broken: no weight_map"),
        ('{"weight_map": []}', "broken: no weight_map"),
        ('{"weight_map": {}}', "broken: no weight_map"),
        ('{"weight_map": {"b": 7}}', "b should be in 7, which is not a file of the folder"),
        ('{"weight_map": {"b": "../one.safetensors"}}', "which is not a file of the folder"),
        ('{"weight_map": {"c": "one.safetensors"}}', "c should be in one.safetensors and is not"),
    ],
)
def test_a_broken_index_is_named(tmp_path: Path, index: str, message: str) -> None:
    (make(tmp_path) / "model.safetensors").rename(tmp_path / "one.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError, match=re.escape(message)) as told:
        checkpoint.read(tmp_path)
    assert str(tmp_path / "model.safetensors.index.json") in str(told.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-10],
        lambda content: content + b"more",
        lambda content: content.replace(b"[0,48]", b"[4,52]").replace(b"[48,58]", b"[52,62]"),
    ],
)
def test_a_file_of_which_bytes_are_missing_or_belong_to_no_tensor_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    path = make(tmp_path) / "model.safetensors"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ModelError, match=rf"{path}: (torn|its tensors)"):
        checkpoint.read(tmp_path)
    with pytest.raises(SafetensorError):
        safe_open(path, framework="numpy")


def test_a_whole_file_wins_over_an_index_as_it_does_when_the_model_is_loaded(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"old": "gone.safetensors"}}')
    assert checkpoint.weights(tmp_path) == (tmp_path / "model.safetensors",)
    assert checkpoint.read(tmp_path).parameters == 17
