import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.errors import ModelError
from harness.weights.read import Matrix, matrices

LLAMA = families.of("llama")


def read(folder: Path) -> list[Matrix]:
    return list(matrices(folder, LLAMA, lambda name, role: True))


def test_layer_ten_comes_after_layer_two(tmp_path, rng) -> None:
    names = [f"model.layers.{nth}.mlp.up_proj" for nth in (0, 1, 2, 10, 11)]
    save_file(
        {f"{name}.weight": rng.standard_normal((3, 2)).astype(np.float32) for name in reversed(names)},
        tmp_path / "model.safetensors",
    )
    assert [matrix.name for matrix in read(tmp_path)] == names


def test_shards_are_read_as_one(tmp_path, rng) -> None:
    a, b = (rng.standard_normal((3, 2)).astype(np.float32) for _ in "ab")
    save_file({"a.weight": a}, tmp_path / "one.safetensors")
    save_file({"b.weight": b}, tmp_path / "two.safetensors")
    index = {"weight_map": {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    first, second = read(tmp_path)
    assert np.array_equal(first.array, a)
    assert np.array_equal(second.array, b)
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(ModelError, match=r"1 shards are missing, two\.safetensors the first"):
        read(tmp_path)


def test_equal_bytes_are_tied_but_zeros_are_not(tmp_path) -> None:
    W = np.arange(6, dtype=np.float32).reshape(3, 2)
    tensors = {
        "a.weight": W,
        "b.weight": W,
        "c.weight": W.reshape(2, 3),
        "y.weight": 0 * W,
        "z.weight": 0 * W,
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert [matrix.status for matrix in read(tmp_path)] == ["read", "tied to a", "read", "read", "read"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"no model\.safetensors and no model\.safetensors\.index\.json"),
        ({"pytorch_model.bin": b""}, r"pickled \(\.bin\); run `harness convert"),
        ({"model.safetensors": b"\x05\0\0\0\0\0\0\0{"}, "its head is torn"),
        ({"model.safetensors": b"\xff" * 9}, "its head is torn"),
        ({"model.safetensors.index.json": b"{"}, "no weight_map could be read"),
    ],
)
def test_a_broken_checkpoint_is_told_in_a_line(tmp_path, files, said) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=said) as told:
        read(tmp_path)
    assert "\n" not in str(told.value)
