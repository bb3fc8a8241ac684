"""Weights that are NaN or infinite, found piece by piece, also in tensors whose spectrum was not asked for."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.safetensors import DTYPES, Tensor
from harness.errors import ModelError
from harness.weights.cache import LayerResult, SpectrumCache, key
from harness.weights.read import NOT_ASKED, TensorLocation

NOT_FINITE = "not finite"  # the status of a row, before its reason
EXPONENT = np.uint16(0x7F80)  # of bfloat16: all of its bits are set where a number is NaN or infinite


def status(bad: int, of: int) -> str:
    """Return the status of a row some of whose numbers are not finite."""
    return f"{NOT_FINITE}: {bad:,} of {of:,} numbers are NaN or infinite"


def not_finite(tensor: Tensor) -> int:
    """Count the numbers of a tensor that are NaN or infinite; integers cannot be."""
    if tensor.dtype not in DTYPES:
        return 0
    return sum(_bad(piece, tensor.dtype) for piece in tensor.pieces())


def unasked(location: TensorLocation, cache: SpectrumCache) -> LayerResult:
    """Return the result of a matrix whose spectrum was not asked for: whether its numbers are finite."""
    name = key("finite", location.identity)
    if (known := cache.find(name)) is not None:
        return known
    beside = location.quantised.beside.values() if location.quantised else ()
    tensors = (location.tensor, *beside)
    try:
        bad = sum(map(not_finite, tensors))
    except (ModelError, OSError) as error:
        return LayerResult(status=f"failed: {location.module}: {error}", numbers={})
    count = sum(int(np.prod(tensor.shape)) for tensor in tensors)
    return cache.keep(name, LayerResult(status=status(bad, count) if bad else NOT_ASKED, numbers={}))


def vectors(tensors: Mapping[str, Tensor], beside: frozenset[str]) -> Iterator[tuple[Tensor, LayerResult]]:
    """Yield the vectors with numbers that are not finite: norms and biases, without the scales `beside` matrices."""
    for name, tensor in sorted(tensors.items()):
        if len(tensor.shape) < 2 and name not in beside and (bad := not_finite(tensor)):
            yield tensor, LayerResult(status=status(bad, int(np.prod(tensor.shape))), numbers={})


def _bad(piece: NDArray[np.generic], dtype: str) -> int:
    if dtype == "BF16":
        return int(np.count_nonzero((piece.view(np.uint16) & EXPONENT) == EXPONENT))
    return int(len(piece) - np.count_nonzero(np.isfinite(piece)))
