"""bitsandbytes' stored forms, by hand and by the package itself where it is installed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.weights.read import Matrix, matrices

NAME = "model.layers.0.self_attn.q_proj"
NF4 = np.array(  # Dettmers et al. 2023, appendix E
    [
        *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635),
        *(-0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725),
        *(0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941),
        *(0.7229568362236023, 1.0),
    ],
    np.float32,
)


def read(folder: Path) -> Matrix:
    (found,) = matrices(folder, families.of("llama"), lambda name, role: True)
    return found


def state(shape: tuple[int, ...], block: int, **more: Any) -> np.ndarray:
    said = {"quant_type": "nf4", "blocksize": block, "dtype": "bfloat16", "shape": shape, **more}
    return np.frombuffer(json.dumps(said).encode(), np.uint8)


def four_bit(codes: np.ndarray, absmax: np.ndarray, **rest: np.ndarray) -> dict[str, np.ndarray]:
    """Codes of 0 to 15, two to a byte, the first in the high half."""
    flat = np.append(codes.reshape(-1), [0] * (codes.size % 2)).astype(np.uint8)
    packed = (flat[::2] << 4 | flat[1::2])[:, None]
    return {
        f"{NAME}.weight": packed,
        f"{NAME}.weight.absmax": absmax,
        f"{NAME}.weight.quant_map": NF4,
        **{f"{NAME}.weight.{name}": value for name, value in rest.items()},
    }


@pytest.mark.parametrize("scheme", ["nf4", "fp4"])
@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 3)])  # whole blocks, a part of one, less than one
def test_four_bits_are_looked_up_and_scaled_by_block(tmp_path, rng, scheme, shape) -> None:
    codes = rng.integers(0, 16, shape)
    absmax = rng.uniform(0.1, 2, -(-codes.size // 16)).astype(np.float32)
    settings = {f"quant_state.bitsandbytes__{scheme}": state(shape, 16)}
    save_file(four_bit(codes, absmax, **settings), tmp_path / "model.safetensors")
    found = read(tmp_path)
    scale = np.repeat(absmax, 16)[: codes.size].reshape(shape)
    assert np.array_equal(found.array, NF4[codes] * scale)
    assert (found.name, found.role, found.shape) == (NAME, "q", shape)
    assert (found.status, found.quantised) == ("read", scheme)


def test_scales_that_are_quantised_too_are_looked_up_first(tmp_path, rng) -> None:
    codes, offset = rng.integers(0, 16, (12, 16)), 0.25
    quantised = rng.integers(0, 256, 12).astype(np.uint8)  # 12 blocks of 16
    values = np.linspace(-1, 1, 256).astype(np.float32)
    scales = np.array([0.5, 2, 3], np.float32)  # of 5, 5 and 2 blocks
    more = {"nested_blocksize": 5, "nested_offset": offset, "nested_dtype": "float32"}
    tensors = four_bit(
        codes,
        quantised,
        nested_absmax=scales,
        nested_quant_map=values,
        **{"quant_state.bitsandbytes__nf4": state((12, 16), 16, **more)},
    )
    save_file(tensors, tmp_path / "model.safetensors")
    absmax = values[quantised] * np.repeat(scales, 5)[:12] + np.float32(offset)
    assert read(tmp_path).array == pytest.approx(NF4[codes] * absmax[:, None], rel=1e-7)


def test_eight_bits_are_scaled_by_row(tmp_path, rng) -> None:
    stored = rng.integers(-127, 128, (4, 6)).astype(np.int8)
    scales = rng.uniform(0.5, 2, 4).astype(np.float32)
    order = np.array(0, np.uint8)  # row by row
    tensors = {f"{NAME}.weight": stored, f"{NAME}.SCB": scales, f"{NAME}.weight_format": order}
    save_file(tensors, tmp_path / "model.safetensors")
    found = read(tmp_path)
    assert found.array == pytest.approx(stored * scales[:, None] / 127, rel=1e-6)
    assert (found.status, found.quantised) == ("read", "int8")
    save_file({**tensors, f"{NAME}.weight_format": np.array(2, np.uint8)}, tmp_path / "model.safetensors")
    assert "int8 in a GPU's own order" in read(tmp_path).status


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quant_state.bitsandbytes__nf4": np.frombuffer(b"{", np.uint8)}, "no settings could be read"),
        ({"quant_state.bitsandbytes__nf4": state((9, 8), 16)}, "not nf4 as bitsandbytes stores it"),
        ({"absmax": np.ones(2, np.float32)}, "not nf4 as bitsandbytes stores it"),
        ({"absmax": None}, "not nf4 as bitsandbytes stores it"),
        (
            {"quant_state.bitsandbytes__nf4": None},
            "is stored as U8, whose numbers mean nothing without their scales",
        ),
    ],
)
def test_what_is_not_whole_fails_and_says_so(tmp_path, rng, change, said) -> None:
    settings = {"quant_state.bitsandbytes__nf4": state((6, 8), 16)}
    tensors = four_bit(rng.integers(0, 16, (6, 8)), np.ones(3, np.float32), **settings)
    tensors |= {f"{NAME}.weight.{name}": value for name, value in change.items()}
    save_file(
        {name: value for name, value in tensors.items() if value is not None}, tmp_path / "model.safetensors"
    )
    found = read(tmp_path)
    assert found.array is None
    assert found.status.startswith("failed: ")
    assert said in found.status


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("scheme", ["nf4", "fp4"])
def test_four_bits_are_what_bitsandbytes_makes_of_them(tmp_path, scheme, nested) -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("bitsandbytes.functional")
    from safetensors.torch import save_file as save_torch

    # Rows of whole blocks: of others the CPU code of bitsandbytes 0.50.2 makes numbers twice as far from W as it should.
    W = torch.randn(96, 128, generator=torch.Generator().manual_seed(0))
    packed, how = functional.quantize_4bit(W, quant_type=scheme, compress_statistics=nested)
    beside = {f"{NAME}.weight.{name}": part for name, part in how.as_dict(packed=True).items()}
    save_torch({f"{NAME}.weight": packed, **beside}, tmp_path / "model.safetensors")
    assert read(tmp_path).array == pytest.approx(
        functional.dequantize_4bit(packed, how).numpy(), rel=1e-5, abs=1e-7
    )


def test_eight_bits_are_what_bitsandbytes_makes_of_them(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("bitsandbytes.functional")
    from safetensors.torch import save_file as save_torch

    W = torch.randn(96, 80, generator=torch.Generator().manual_seed(0)).to(torch.float16)
    stored, scales, _ = functional.int8_vectorwise_quant(W)
    save_torch({f"{NAME}.weight": stored, f"{NAME}.SCB": scales}, tmp_path / "model.safetensors")
    expected = functional.int8_vectorwise_dequant(stored, scales).numpy()
    assert read(tmp_path).array == pytest.approx(expected, rel=1e-6)
