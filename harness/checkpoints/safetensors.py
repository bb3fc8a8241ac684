"""A safetensors file, one tensor at a time, as floats and without torch.

Layout: 8 bytes little-endian length of the header, the header in JSON, the bytes (github.com/huggingface/safetensors).
The library's own numpy reader does not read bfloat16.
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
STORED = {**DTYPES, "I8": "<i1", "U8": "<u1"}  # types that can be read as they are stored
HEADER_LIMIT = 100_000_000  # bytes, the format's own limit
AGAIN = "fetch or save it again"
LONGEST_NAME = 1_000  # characters; real names have under 200, and patterns are matched with names
# Limit of any integer in a header, and of a product of sides: numpy can index no larger array.
LARGEST = 1 << 60
MOST_SIDES = 32  # dimensions of a tensor, as in numpy
# Numbers read at once, so that a matrix is never in memory both as it is stored and as floats.
PIECE = 1 << 22

Watch = Callable[[NDArray[Any]], object]  # gets the numbers as they are stored, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """The location of a tensor's bytes: small enough to be sent to another process, which reads them."""

    path: Path
    name: str
    dtype: str  # as the format names it: "F32", "BF16", "I8" …
    shape: tuple[int, ...]
    begin: int  # of its first byte in the file

    @property
    def size(self) -> int:
        """Return the number of bytes, for a type that can be read."""
        return np.dtype(STORED[self.dtype]).itemsize * prod(self.shape)

    def read(self, watch: Watch = lambda piece: None) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return the numbers in float32; float64 stays float64."""
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
    """A safetensors file whose header has been read; bytes are read when asked for. A torn file is refused at once."""

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
        """Return a tensor's type as the format names it."""
        return str(self._header[name]["dtype"])

    def stored_bytes(self, name: str) -> int:
        """Return a tensor's size in bytes."""
        begin, end = self._header[name]["data_offsets"]
        return int(end - begin)

    def tensor(self, name: str) -> Tensor:
        """Return the location of a tensor; no bytes are read."""
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
    """Return where the bytes begin, and for each tensor its dtype, shape and offsets.

    Raises ModelError for what the safetensors library refuses too: every byte of the file must belong to exactly one tensor.
    """
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
            text = file.read(length) if length <= HEADER_LIMIT else b""
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        places = sorted(_offsets(entry) for entry in header.values())
        wrong = [name for name, entry in header.items() if not _fits(entry)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        torn = "not a safetensors file, or its header is torn"
        problem = error.strerror if isinstance(error, OSError) else torn
        raise ModelError(f"{path}: {problem}; {AGAIN}") from error
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


def _offsets(entry: Mapping[str, Any]) -> tuple[int, int]:
    begin, end = _counts(entry["data_offsets"])
    if begin > end:
        raise ValueError(f"offsets {begin} to {end}")
    return begin, end


def _counts(found: object) -> list[int]:
    """Return a list of integers from 0 to `LARGEST`; raise ValueError for anything else."""
    if not isinstance(found, list):
        raise ValueError("no list of integers")
    if any(type(number) is not int or not 0 <= number <= LARGEST for number in found):
        raise ValueError("no list of integers")
    return found


def _fits(entry: Mapping[str, Any]) -> bool:
    """Return whether a tensor has as many bytes as its shape needs; True where its type is unknown."""
    begin, end = _offsets(entry)
    shape, kind = _counts(entry["shape"]), entry["dtype"]
    if not isinstance(kind, str) or len(shape) > MOST_SIDES or prod(filter(None, shape)) > LARGEST:
        raise ValueError("no possible tensor")
    count, dtype = prod(shape), STORED.get(kind)
    return dtype is None or end - begin == np.dtype(dtype).itemsize * count
