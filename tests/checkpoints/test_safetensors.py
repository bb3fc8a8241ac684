import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.checkpoints.safetensors import PIECE, TensorFile
from harness.errors import ModelError


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
    stored: np.ndarray = np.linspace(-2, 2, 12).reshape(3, 4).astype(dtype)
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


def test_a_tensor_larger_than_a_piece_is_read_whole_and_each_number_is_seen_once(tmp_path: Path) -> None:
    stored = np.arange(2 * (PIECE // 2 + 3), dtype=np.uint16).reshape(2, -1)
    header = {"w": {"dtype": "BF16", "shape": stored.shape, "data_offsets": [0, stored.nbytes]}}
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + stored.tobytes())
    seen: list[np.ndarray] = []
    found = TensorFile(path).tensor("w").read(seen.append)
    assert np.array_equal(np.concatenate(seen), stored.reshape(-1))
    expected = (stored.astype(np.uint32) << 16).view(np.float32)
    assert np.array_equal(found, expected, equal_nan=True)


def test_a_tensor_with_fewer_bytes_than_its_shape_needs_is_refused(tmp_path: Path) -> None:
    text = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(24))
    with pytest.raises(ModelError, match=r"x\.safetensors: w has more or fewer bytes than its shape needs"):
        TensorFile(path)


NUMBER = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
SHAPES: tuple[object, ...] = (
    *([1.0], [float("nan")], [float("inf")], ["1"], "1", {}, None, 1, [True]),
    *([-1, -1], [[1]], [1] * 65),
)
OFFSETS: tuple[object, ...] = (
    *([0], [], [0, 4, 4], [0.0, 4.0], [0, float("nan")], ["0", "4"]),
    *("04", {"0": 0, "4": 4}, None, [-4, 0], [4, 0], [False, 4]),
)
NO_BYTES: tuple[object, ...] = ([0, 0], [4, 4])
KINDS: tuple[object, ...] = (None, 7, ["F32"], {"F32": 1})
SHAPES_OF_AN_UNKNOWN_KIND: tuple[object, ...] = ("1", [float("nan")], {"a": 1}, [-1])
ODD: tuple[dict[str, object], ...] = (
    *({"shape": shape} for shape in SHAPES),
    *({"shape": [0, 1 << 59, 1 << 59], "data_offsets": offsets} for offsets in NO_BYTES),
    *({"data_offsets": offsets} for offsets in OFFSETS),
    *({"data_offsets": [0, 4], "dtype": kind} for kind in KINDS),
    *({"dtype": "F99", "shape": shape} for shape in SHAPES_OF_AN_UNKNOWN_KIND),
)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_header_that_describes_no_tensor_is_refused_by_the_files_name(
    tmp_path: Path, odd: dict[str, object]
) -> None:
    text = json.dumps({"w": NUMBER | odd}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 4)
    with pytest.raises(ModelError, match=r"x\.safetensors: ") as told:
        TensorFile(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("header", [[], None, 1, "w", {"w": []}, {"w": None}, {"w": 1}, {"w": {}}], ids=repr)
def test_a_header_of_another_kind_is_refused_by_the_files_name(tmp_path: Path, header: object) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 4)
    with pytest.raises(ModelError, match=r"x\.safetensors: not a safetensors file"):
        TensorFile(path)
