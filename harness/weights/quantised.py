"""Matrices that bitsandbytes stored in 8 or 4 bits, converted back to floats without the library.

Layout: `Linear8bitLt` and `QuantState.as_dict(packed=True)` of bitsandbytes 0.45; Dettmers et al. 2022 (arXiv
2208.07339) and 2023 (2305.14314). The floats are products of the stored numbers, unrounded: bitsandbytes itself rounds them
to the type in which its layer computes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.safetensors import Tensor, Watch
from harness.errors import ModelError

Scheme = Literal["int8", "nf4", "fp4"]
SCALES = "SCB"  # beside an 8-bit `weight`: the largest of each row
FORMAT = "weight_format"  # 0: row by row; others are a GPU's own order
STATES: Mapping[str, Scheme] = {
    ".quant_state.bitsandbytes__nf4": "nf4",
    ".quant_state.bitsandbytes__fp4": "fp4",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """A quantised matrix: how it was quantised, and the tensors and settings that belong to it."""

    scheme: Scheme
    beside: Mapping[str, Tensor]  # by the end of the name: "SCB", or "absmax", "quant_map", …
    shape: tuple[int, ...]  # of the matrix that was quantised
    settings: Mapping[str, Any]  # blocksize, nested_blocksize, nested_offset; none for int8


def quantised(tensor: Tensor, tensors: Mapping[str, Tensor]) -> Quantised | None:
    """Return how a tensor was quantised, by the names of the tensors beside it; None where it was not."""
    name = tensor.name
    scales = f"{name.removesuffix('weight')}{SCALES}"
    if tensor.dtype == "I8" and scales in tensors:
        beside = {SCALES: tensors[scales]}
        order = f"{name.removesuffix('weight')}{FORMAT}"
        if order in tensors:
            beside[FORMAT] = tensors[order]
        return Quantised(scheme="int8", beside=beside, shape=tensor.shape, settings={})
    for ending, scheme in STATES.items():
        if name + ending in tensors:
            settings = _settings(tensors[name + ending])
            names = ("absmax", "quant_map", "nested_absmax", "nested_quant_map")
            beside = {end: tensors[f"{name}.{end}"] for end in names if f"{name}.{end}" in tensors}
            return Quantised(scheme=scheme, beside=beside, shape=tuple(settings["shape"]), settings=settings)
    return None


def dequantise(tensor: Tensor, how: Quantised, watch: Watch) -> NDArray[np.float32]:
    """Return the matrix in float32; `watch` is called with every piece of data that it depends on."""
    try:
        return _eight(tensor, how, watch) if how.scheme == "int8" else _four(tensor, how, watch)
    except (LookupError, ValueError, TypeError) as error:
        raise ModelError(
            f"{tensor.path}: {tensor.name}: not {how.scheme} as bitsandbytes stores it ({error!r})"
        ) from error


def _eight(tensor: Tensor, how: Quantised, watch: Watch) -> NDArray[np.float32]:
    """Return W = weight · SCB / 127, row by row."""
    if FORMAT in how.beside and _stored(how.beside[FORMAT], watch).any():
        raise ModelError(f"{tensor.path}: {tensor.name}: int8 in a GPU's own order; save it again as `row`")
    scales = how.beside[SCALES].read(watch).astype(np.float32) / np.float32(127)
    floats = np.empty(prod(tensor.shape), np.float32)
    at = 0
    for piece in tensor.pieces():
        watch(piece)
        floats[at : at + len(piece)] = piece
        at += len(piece)
    W = floats.reshape(tensor.shape)
    W *= scales[:, None]
    return W


def _four(tensor: Tensor, how: Quantised, watch: Watch) -> NDArray[np.float32]:
    """Return W = quant_map[nibble] · absmax of its block; the high nibble comes first."""
    values = how.beside["quant_map"].read(watch).astype(np.float32)  # [16]
    pairs = np.stack([np.repeat(values, 16), np.tile(values, 16)], axis=1)  # byte -> two numbers
    count, block = prod(how.shape), int(how.settings["blocksize"])
    floats = np.empty((ceil(count / 2), 2), np.float32)
    at = 0
    for piece in tensor.pieces():  # in a wider type where all weights of the file must have the same
        watch(piece)
        packed = piece.view(np.uint8)
        np.take(pairs, packed, axis=0, out=floats[at : at + len(packed)], mode="clip")  # else it copies
        at += len(packed)
    if at != len(floats):
        raise ValueError(f"{at} bytes where {len(floats)} are needed")
    flat, absmax = floats.reshape(-1)[:count], _absmax(how, watch)
    whole = count // block * block
    blocks = flat[:whole].reshape(-1, block)
    blocks *= absmax[: whole // block, None]
    flat[whole:] *= absmax[-1]  # what is left fills no block
    return flat.reshape(how.shape)


def _absmax(how: Quantised, watch: Watch) -> NDArray[np.float32]:
    """Return the largest value of each block, itself quantised to 8 bits where the state is nested."""
    if "nested_absmax" not in how.beside:
        return how.beside["absmax"].read(watch).astype(np.float32)
    scales = how.beside["nested_absmax"].read(watch).astype(np.float32)
    values = how.beside["nested_quant_map"].read(watch).astype(np.float32)  # [256]
    codes = _stored(how.beside["absmax"], watch)
    of = np.arange(len(codes)) // int(how.settings["nested_blocksize"])
    nested: NDArray[np.float32] = values[codes] * scales[of] + np.float32(how.settings["nested_offset"])
    return nested


def _settings(state: Tensor) -> Mapping[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(_stored(state, lambda piece: None).tobytes())
        int(settings["blocksize"])
        prod(settings["shape"])
    except (ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{state.path}: {state.name}: no settings could be read; fetch it again") from error
    return settings


def _stored(tensor: Tensor, watch: Watch) -> NDArray[Any]:
    """Return a small tensor as it is stored."""
    pieces = list(tensor.pieces())
    for piece in pieces:
        watch(piece)
    return np.concatenate(pieces) if pieces else np.empty(0)
