"""A checkpoint's matrices, streamed one at a time: names, shapes and roles first, bytes only of those that are wanted."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import families
from harness.errors import ModelError
from harness.families import Family
from harness.tensors import DTYPES, TensorFile

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
READ, NOT_ASKED = "read", "not asked for"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matrix:
    """One parameter with two or more dimensions."""

    name: str  # the module's path: the parameter's name without `.weight`
    role: str
    shape: tuple[int, ...]
    array: NDArray[np.float32] | None  # [rows, cols]; None: not asked for, or failed
    status: str  # "read" | "tied to NAME" | "not asked for" | "failed: …"


def matrices(
    folder: Path,
    family: Family,
    wanted: Callable[[str, str], bool],  # of a name and its role: whether to read the bytes
) -> Iterator[Matrix]:
    """Every matrix of the checkpoint in the order of its layers. Vectors do not come at all.

    Of those with the same bytes the later are tied to the first.
    """
    seen: dict[bytes, str] = {}
    for parameter, file in sorted(_places(folder).items(), key=lambda place: _by_number(place[0])):
        shape, name = file.shape(parameter), parameter.removesuffix(".weight")
        if len(shape) < 2 or prod(shape) == 0:
            continue
        role = families.role(family, parameter)
        array, status = None, NOT_ASKED
        if wanted(name, role):
            array, status = _read(file, parameter, name, seen)
        yield Matrix(name=name, role=role, shape=shape, array=array, status=status)


def _read(
    file: TensorFile, parameter: str, name: str, seen: dict[bytes, str]
) -> tuple[NDArray[np.float32] | None, str]:
    """The matrix and whether it is tied, or none and why."""
    shape, dtype = file.shape(parameter), file.dtype(parameter)
    if len(shape) > 2:
        return None, f"failed: {name} has {len(shape)} dimensions and is no matrix"
    if dtype not in DTYPES:
        return None, f"failed: {name} is stored as {dtype}, whose numbers mean nothing without their scales"
    array = file.read(parameter)
    digest = hashlib.sha256(array.data).digest() + repr(shape).encode()
    first = seen.setdefault(digest, name)
    if first != name and array.any():  # matrices of zeros are equal without being tied
        return array, f"tied to {first}"
    return array, READ


def _places(folder: Path) -> dict[str, TensorFile]:
    """Parameter's name to the file that holds it."""
    if (folder / INDEX).is_file():
        return _sharded(folder)
    if (folder / SINGLE).is_file():
        file = TensorFile(folder / SINGLE)
        return dict.fromkeys(file.names, file)
    if list(folder.glob("*.bin")):
        raise ModelError(f"{folder}: the weights are pickled (.bin); run `harness convert {folder}`")
    raise ModelError(f"{folder}: no {SINGLE} and no {INDEX}; a model is a folder in the hub's layout")


def _sharded(folder: Path) -> dict[str, TensorFile]:
    path = folder / INDEX
    try:
        shards = dict(json.loads(path.read_text(encoding="utf-8"))["weight_map"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path}: no weight_map could be read; fetch it anew") from error
    missing = sorted({name for name in shards.values() if not (folder / name).is_file()})
    if missing:
        raise ModelError(f"{path}: {len(missing)} shards are missing, {missing[0]} the first; fetch them")
    files = {name: TensorFile(folder / name) for name in sorted(set(shards.values()))}
    for parameter, name in shards.items():
        if parameter not in files[name].names:
            raise ModelError(f"{path}: {parameter} should be in {name} and is not; fetch both anew")
    return {parameter: files[name] for parameter, name in shards.items()}


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """Layer 10 after layer 2."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.]", name)]
