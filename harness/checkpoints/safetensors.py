"""A safetensors file, one tensor at a time, as floats and without torch.

Layout: 8 bytes little-endian length of the header, the header in JSON, the bytes (github.com/huggingface/safetensors).
Read here because the library's numpy reader knows no bfloat16.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.files.regular import open_regular

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
STORED = {**DTYPES, "I8": "<i1", "U8": "<u1"}  # what can be read as it is stored
HEADER_LIMIT = 100_000_000  # bytes, the format's own limit
AGAIN = "fetch or save it again"
LONGEST_NAME = 1_000  # characters; real names have under 200, and roles are found by patterns on names
LARGEST = (
    1 << 60
)  # of any whole number in a header, and of a product of sides: what an index into an array can be
MOST_SIDES = 32  # of a tensor, as numpy has them
PIECE = (
    1 << 22
)  # numbers read at once, so that a matrix is never in memory both as it is stored and as floats

Watch = Callable[[NDArray[Any]], object]  # sees the numbers as they are stored, in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """Where one tensor's bytes lie: small enough to be sent to another process, which reads them."""

    path: Path
    name: str
    dtype: str  # the format's own word: "F32", "BF16", "I8" …
    shape: tuple[int, ...]
    begin: int  # of its first byte in the file

    @property
    def size(self) -> int:
        """Bytes, of a type that can be read."""
        return np.dtype(STORED[self.dtype]).itemsize * prod(self.shape)

    def read(self, watch: Watch = lambda piece: None) -> NDArray[np.float32] | NDArray[np.float64]:
        """As float32; float64 stays what it is."""
        if self.dtype not in DTYPES:
            raise ModelError(
                f"{self.path}: {self.name} is stored as {self.dtype}; known: {', '.join(DTYPES)}"
            )
        count = prod(self.shape)
        floats: NDArray[np.float32] | NDArray[np.float64] = (
            np.empty(count, np.float64) if self.dtype == "F64" else np.empty(count, np.float32)
        )
        at = 0
        for piece in self.pieces():
            watch(piece)
            part = floats[at : at + len(piece)]
            if self.dtype == "BF16":  # the upper half of a float32
                np.left_shift(piece, 16, out=part.view(np.uint32), dtype=np.uint32)
            else:
                part[:] = piece
            at += len(piece)
        return floats.reshape(self.shape)

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the stored numbers in flat pieces; bfloat16 comes as uint16."""
        left, dtype = prod(self.shape), np.dtype(STORED[self.dtype])
        with open_regular(self.path) as file:
            file.seek(self.begin)
            while left:
                piece = np.fromfile(file, dtype, min(left, PIECE))
                if not len(piece):
                    raise ModelError(f"{self.path}: torn within {self.name}; {AGAIN}")
                left -= len(piece)
                yield piece


class TensorFile:
    """Names and shapes are read at once, bytes when asked for. A torn file is refused at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start, self._header = _read_header(path)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors."""
        return tuple(self._header)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(self._header[name]["shape"])

    def dtype(self, name: str) -> str:
        """Return a tensor's type as safetensors calls it."""
        return str(self._header[name]["dtype"])

    def stored_bytes(self, name: str) -> int:
        """Return a tensor's size in bytes."""
        begin, end = self._header[name]["data_offsets"]
        return int(end - begin)

    def tensor(self, name: str) -> Tensor:
        """Return where a tensor lies; nothing is read."""
        return Tensor(
            path=self.path,
            name=name,
            dtype=self.dtype(name),
            shape=self.shape(name),
            begin=self._start + self._header[name]["data_offsets"][0],
        )

    def read(self, name: str) -> NDArray[np.float32]:
        """Return a tensor's numbers in float32."""
        return self.tensor(name).read().astype(np.float32, copy=False)


def _read_header(path: Path) -> tuple[int, Mapping[str, Any]]:
    """Return where the bytes begin, and for each tensor its dtype, shape and place.

    Refuses what the safetensors library refuses: every byte of the file belongs to one tensor.
    """
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
            text = file.read(length) if length <= HEADER_LIMIT else b""
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        places = sorted(_place(one) for one in header.values())
        wrong = [name for name, one in header.items() if not _fits(one)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        said = (
            error.strerror if isinstance(error, OSError) else "not a safetensors file, or its header is torn"
        )
        raise ModelError(f"{path}: {said}; {AGAIN}") from error
    if long := next((name for name in header if len(name) > LONGEST_NAME), None):
        raise ModelError(
            f"{path}: found a tensor whose name has {len(long):,} characters ({long[:40]!r}…); {AGAIN}"
        )
    if wrong:
        raise ModelError(f"{path}: {wrong[0]} has more or fewer bytes than its shape needs; {AGAIN}")
    size, needed = path.stat().st_size, 8 + length + max((end for _, end in places), default=0)
    if size != needed:
        raise ModelError(f"{path}: torn: {size:,} bytes of {needed:,}; {AGAIN}")
    if [begin for begin, _ in places] != [0, *(end for _, end in places)][: len(places)]:
        raise ModelError(f"{path}: its tensors overlap, or leave bytes between them; {AGAIN}")
    return 8 + length, header


def _place(one: Mapping[str, Any]) -> tuple[int, int]:
    begin, end = _counts(one["data_offsets"])
    if begin > end:
        raise ValueError(f"no place in a file: {begin} to {end}")
    return begin, end


def _counts(found: object) -> list[int]:
    """Return a list of whole numbers of 0 or more, none so large that their product would overflow."""
    if not isinstance(found, list) or any(type(one) is not int or not 0 <= one <= LARGEST for one in found):
        raise ValueError("no list of whole numbers")
    return found


def _fits(one: Mapping[str, Any]) -> bool:
    """Whether a tensor has as many bytes as its shape says, where its type is known."""
    begin, end = _place(one)
    shape, kind = _counts(one["shape"]), one["dtype"]
    if not isinstance(kind, str) or len(shape) > MOST_SIDES or prod(filter(None, shape)) > LARGEST:
        raise ValueError("no tensor can be so")
    count, dtype = prod(shape), STORED.get(kind)
    return dtype is None or end - begin == np.dtype(dtype).itemsize * count
