"""Weights that are NaN or infinite, found without keeping any of them: also in what no spectrum is asked of."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.safetensors import DTYPES, Tensor
from harness.errors import ModelError
from harness.weights.kept import Finding, Kept, key
from harness.weights.read import NOT_ASKED, Place

NOT_FINITE = "not finite"  # the status of a row, before its reason
EXPONENT = np.uint16(0x7F80)  # of bfloat16: all of its bits are set where a number is NaN or infinite


def status(bad: int, of: int) -> str:
    """Return the status of a row some of whose numbers are not finite."""
    return f"{NOT_FINITE}: {bad:,} of {of:,} numbers are NaN or infinite"


def not_finite(tensor: Tensor) -> int:
    """Count the numbers of a tensor that are NaN or infinite; whole numbers cannot be."""
    if tensor.dtype not in DTYPES:
        return 0
    return sum(_bad(piece, tensor.dtype) for piece in tensor.pieces())


def unasked(place: Place, kept: Kept) -> Finding:
    """Return what is known of a matrix whose spectrum nobody asked for: that it can be used, or that it cannot."""
    name = key("finite", place.identity)
    if (known := kept.find(name)) is not None:
        return known
    beside = place.quantised.beside.values() if place.quantised else ()
    tensors = (place.tensor, *beside)
    try:
        bad = sum(map(not_finite, tensors))
    except (ModelError, OSError) as error:
        return Finding(status=f"failed: {place.module}: {error}", numbers={})
    told = status(bad, sum(int(np.prod(one.shape)) for one in tensors)) if bad else NOT_ASKED
    return kept.keep(name, Finding(status=told, numbers={}))


def vectors(tensors: Mapping[str, Tensor], beside: frozenset[str]) -> Iterator[tuple[Tensor, Finding]]:
    """Yield the vectors that hold numbers which are not finite: norms and biases, but for the scales `beside` matrices."""
    for name, tensor in sorted(tensors.items()):
        if len(tensor.shape) < 2 and name not in beside and (bad := not_finite(tensor)):
            yield tensor, Finding(status=status(bad, int(np.prod(tensor.shape))), numbers={})


def _bad(piece: NDArray[np.generic], dtype: str) -> int:
    if dtype == "BF16":
        return int(np.count_nonzero((piece.view(np.uint16) & EXPONENT) == EXPONENT))
    return int(len(piece) - np.count_nonzero(np.isfinite(piece)))
