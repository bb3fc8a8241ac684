"""A safetensors file, one tensor at a time, as float32 and without torch.

Layout: 8 bytes little-endian length of the header, the header in JSON, the bytes (github.com/huggingface/safetensors).
Read here because the library's numpy reader knows no bfloat16.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
HEADER_LIMIT = 100_000_000  # bytes, the format's own limit


class TensorFile:
    """Names and shapes are read at once, bytes when asked for. A torn file is refused at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start, self._header = _read_header(path)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._header)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._header[name]["shape"])

    def dtype(self, name: str) -> str:
        """The format's own word: "F32", "BF16", "I8" …"""
        return str(self._header[name]["dtype"])

    def read(self, name: str) -> NDArray[np.float32]:
        dtype = self.dtype(name)
        if dtype not in DTYPES:
            raise ModelError(f"{self.path}: {name} is stored as {dtype}; known: {', '.join(DTYPES)}")
        begin, _ = self._header[name]["data_offsets"]
        with self.path.open("rb") as file:
            file.seek(self._start + begin)
            stored = np.fromfile(file, DTYPES[dtype], prod(self.shape(name)))
        if dtype == "BF16":  # the upper half of a float32
            stored = (stored.astype(np.uint32) << 16).view(np.float32)
        return stored.astype(np.float32, copy=False).reshape(self.shape(name))


def _read_header(path: Path) -> tuple[int, Mapping[str, Any]]:
    """Where the bytes begin, and for each tensor its dtype, shape and place."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            text = file.read(length) if length <= HEADER_LIMIT else b""
        header: dict[str, Any] = json.loads(text)
        header.pop("__metadata__", None)
        needed = 8 + length + max((one["data_offsets"][1] for one in header.values()), default=0)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not a safetensors file, or its head is torn"
        raise ModelError(f"{path}: {said}; fetch it anew") from error
    size = path.stat().st_size
    if size < needed:
        raise ModelError(f"{path}: torn: {size:,} bytes of {needed:,}; fetch it anew")
    return 8 + length, header
