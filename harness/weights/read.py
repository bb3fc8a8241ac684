"""A checkpoint's matrices, streamed one at a time: names, shapes and roles first, bytes only of the wanted matrices."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import families
from harness.checkpoints.safetensors import DTYPES, Tensor
from harness.checkpoints.shards import stored
from harness.errors import ModelError
from harness.families import Family
from harness.files.regular import regular_text
from harness.weights.fused import fused_in, rows_of_parts
from harness.weights.quantised import Quantised, Scheme, dequantise, quantised

READ, NOT_ASKED, TIED = "read", "not asked for", "tied to "
# What a family with `fan_in_fan_out` stores as [in, out].
LINEAR = ("q", "k", "v", "o", "qkv", "feed-forward")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matrix:
    """One parameter with two or more dimensions, or a part of it."""

    name: str  # the module's path: the parameter's name without `.weight`; with `.q`, `.up` and so on for a part
    role: str
    shape: tuple[int, ...]  # of a linear map: [out, in]
    array: NDArray[np.float32] | NDArray[np.float64] | None  # None: not asked for, or failed
    status: str  # "read" | "tied to NAME" | "not asked for" | "failed: …"
    digest: bytes | None = None  # of the bytes as they are stored, their types and shapes; None: not read
    quantised: Scheme | None = None  # how its numbers were stored before they were converted to floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TensorLocation:
    """Where one matrix lies, and what it is: small enough to be sent to another process, which reads the matrix."""

    name: str
    role: str
    shape: tuple[int, ...]
    module: str  # the name of the whole, where this is a part of it
    tensor: Tensor
    quantised: Quantised | None = None
    turned: bool = False  # stored as [in, out]
    rows: tuple[slice, ...] | None = None  # of the whole; None: all
    failed: str | None = None  # why it cannot be read

    @property
    def whole(self) -> tuple[int, ...]:
        """Return the shape of the whole matrix."""
        stored = self.quantised.shape if self.quantised else self.tensor.shape
        return stored[::-1] if self.turned else stored

    @property
    def identity(self) -> str:
        """Return an identity of the bytes, including a quantised matrix's scales, that changes with the files."""
        tensors = [self.tensor, *(self.quantised.beside.values() if self.quantised else ())]
        seen = [path.stat() for path in dict.fromkeys(tensor.path.resolve() for tensor in tensors)]
        files = [(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) for status in seen]
        return f"{files} {self.tensor} {self.rows} {self.turned} {self.quantised}"

    def read(self) -> Matrix:
        """Return the matrix, read or failed; whether it is tied to another is not known here."""
        return self._part(self._whole())

    def unread(self) -> Matrix:
        """Return the matrix with the status "not asked for"."""
        return Matrix(name=self.name, role=self.role, shape=self.shape, array=None, status=NOT_ASKED)

    def _whole(self) -> Matrix:
        """Return the whole matrix, also where this is the location of a part of it."""
        none = replace(self.unread(), status=f"failed: {self.failed}")
        if self.failed:
            return none
        how = self.quantised
        digest = hashlib.sha256(f"{self.tensor.dtype} {self.tensor.shape} {self.turned}".encode())
        digest.update(f"{how.scheme} {sorted(how.settings.items())}".encode() if how else b"")

        def watch(piece: NDArray[Any]) -> None:
            digest.update(piece.data)

        try:
            array = dequantise(self.tensor, how, watch) if how else self.tensor.read(watch)
        except (ModelError, OSError) as error:
            return replace(none, status=f"failed: {self.module}: {error}")
        return Matrix(
            name=self.module,
            role=self.role,
            shape=self.whole,
            array=array.T if self.turned else array,
            status=READ,
            digest=digest.digest(),
            quantised=how.scheme if how else None,
        )

    def _part(self, whole: Matrix) -> Matrix:
        if self.rows is None or whole.array is None or whole.digest is None:
            return replace(whole, name=self.name, role=self.role, shape=self.shape)
        return replace(
            whole,
            name=self.name,
            role=self.role,
            shape=self.shape,
            array=np.concatenate([whole.array[rows] for rows in self.rows]),
            digest=hashlib.sha256(whole.digest + repr(self.rows).encode()).digest(),
        )


def matrices(
    folder: Path,
    family: Family,
    wanted: Callable[[str, str], bool],  # of a name and its role: whether to read the bytes
    *,
    split: bool = False,
) -> Iterator[Matrix]:
    """Yield every matrix of the checkpoint in the order of its layers; vectors are left out.

    Each tensor is read once, however many parts it is split into. Of matrices with the same bytes the later ones are
    tied to the first.
    """
    seen: dict[bytes, str] = {}
    for _, parts in groupby(locations(folder, family, split=split), lambda location: location.tensor.name):
        whole = None
        for location in parts:
            if not wanted(location.name, location.role):
                yield location.unread()
                continue
            whole = whole or location._whole()
            yield _tied(location._part(whole), seen)


def locations(folder: Path, family: Family, *, split: bool = False) -> tuple[TensorLocation, ...]:
    """Return where every matrix lies, in the order of the layers; only the headers of the files are read.

    With `split` a fused matrix comes as its parts, for example `….q`, `….k` and `….v`.
    """
    tensors = stored(folder)
    config = _config(folder) if split else {}
    found: list[TensorLocation] = []
    for parameter in sorted(tensors, key=_by_number):
        if len(tensors[parameter].shape) >= 2:
            whole = location_of(tensors[parameter], tensors, family)
            if prod(whole.shape):
                found += _parts(whole, family, config) if split else [whole]
    return tuple(found)


def _tied(matrix: Matrix, seen: dict[bytes, str]) -> Matrix:
    if matrix.array is None or matrix.digest is None:
        return matrix
    first = seen.setdefault(matrix.digest, matrix.name)
    if first != matrix.name and matrix.array.any():  # matrices of zeros are equal without being tied
        return replace(matrix, status=f"{TIED}{first}")
    return matrix


def location_of(
    tensor: Tensor,
    tensors: Mapping[str, Tensor],  # what may lie beside it: a quantised matrix's scales
    family: Family,
) -> TensorLocation:
    """Return where a tensor's matrix lies and how to read it."""
    name, role = tensor.name.removesuffix(".weight"), families.role(family, tensor.name)
    how, failed, shape = None, None, tensor.shape
    try:
        how = quantised(tensor, tensors)
    except ModelError as error:
        failed = f"{name}: {error}"
    if how is not None:
        shape = how.shape
    elif failed is None and tensor.dtype not in DTYPES:
        failed = f"{name} is stored as {tensor.dtype}, whose numbers mean nothing without their scales"
    if len(shape) != 2:
        failed = f"{name} has {len(shape)} dimensions and is no matrix"
    # bitsandbytes transposes matrices itself before it quantises.
    turned = family.fan_in_fan_out and role in LINEAR and how is None and failed is None
    return TensorLocation(
        name=name,
        role=role,
        shape=shape[::-1] if turned else shape,
        module=name,
        tensor=tensor,
        quantised=how,
        turned=turned,
        failed=failed,
    )


def _parts(whole: TensorLocation, family: Family, config: Mapping[str, Any]) -> list[TensorLocation]:
    fused = fused_in(family, whole.name)
    if fused is None or whole.failed:
        return [whole]
    try:
        rows = rows_of_parts(fused, whole.shape[0], config)
    except ValueError as error:
        return [replace(whole, failed=f"{whole.name} cannot be split: {error}")]
    return [
        replace(
            whole,
            name=f"{whole.name}.{part}",
            role=part if whole.role == "qkv" else whole.role,
            shape=(sum(some.stop - some.start for some in slices), whole.shape[1]),
            rows=slices,
        )
        for part, slices in rows.items()
    ]


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    try:
        found: dict[str, Any] = json.loads(regular_text(path))
        found.get("text_config")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: not readable; it says how a fused matrix splits") from error
    return found


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts layer 10 after layer 2."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.]", name)]
