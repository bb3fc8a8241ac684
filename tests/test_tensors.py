from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.errors import ModelError
from harness.tensors import TensorFile


def test_bfloat16_is_read_as_torch_reads_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    stored = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    stored[0, 0], stored[0, 1] = float("inf"), float("nan")
    save_torch({"first": torch.ones(3), "w": stored}, tmp_path / "x.safetensors")
    assert np.array_equal(
        TensorFile(tmp_path / "x.safetensors").read("w"), stored.float().numpy(), equal_nan=True
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_float_is_read_as_float32(tmp_path: Path, dtype: type) -> None:
    stored = np.linspace(-2, 2, 12).reshape(3, 4).astype(dtype)
    save_file(
        {"a": np.ones(1, np.int8), "w": stored, "empty": np.ones((0, 4), dtype)}, tmp_path / "x.safetensors"
    )
    file = TensorFile(tmp_path / "x.safetensors")
    assert file.read("w").dtype == np.float32
    assert np.array_equal(file.read("w"), stored.astype(np.float32))
    assert file.read("empty").shape == (0, 4)


def test_a_torn_file_and_an_unknown_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w": np.ones((3, 4), np.int8)}, path)
    with pytest.raises(ModelError, match="w is stored as I8"):
        TensorFile(path).read("w")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"x\.safetensors: torn: .* bytes of"):
        TensorFile(path)
