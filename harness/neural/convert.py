"""Pickled weights to safetensors. Only plain tensors are read; no code in the file is ever run."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from harness.checkpoints.adapter import WEIGHTS
from harness.checkpoints.folder import ADAPTER_PICKLE
from harness.errors import ModelError
from harness.files.json_lines import writing

NAMES = {"pytorch_model.bin": "model.safetensors", ADAPTER_PICKLE: WEIGHTS}
INDEX = "pytorch_model.bin.index.json"
# Files that a folder needs besides its weights.
BESIDE = ("*.json", "*.model", "*.txt", "*.jinja", "LICENSE*", "README.md")


def convert(folder: Path, out: Path) -> list[Path]:
    """Write each pickled file's tensors as safetensors into `out`, with the settings and tokenizer beside them.

    Tensors that share memory are written under each of their names, so that the file is complete without a list of tied
    tensors. Returns the files with weights, and their index.
    """
    if not folder.is_dir():
        is_file = "a file; name the folder that contains it"
        problem = is_file if folder.exists() else "no such folder; name a folder with weights"
        raise ModelError(f"{folder}: {problem}")
    with writing(out):
        return _converted(folder, out)


def _converted(folder: Path, out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    if (folder / INDEX).is_file():
        written = _sharded(folder, out)
    else:
        found = [name for name in NAMES if (folder / name).is_file()]
        if not found:
            raise ModelError(f"{folder}: no {' or '.join((*NAMES, INDEX))}; there is nothing to convert")
        written = [_file(folder / name, out / NAMES[name]) for name in found]
    if out.resolve() != folder.resolve():
        for path in (path for pattern in BESIDE for path in folder.glob(pattern) if path.name != INDEX):
            shutil.copyfile(path, out / path.name)
    return written


def _sharded(folder: Path, out: Path) -> list[Path]:
    index = _index(folder / INDEX)
    shards = sorted(set(index["weight_map"].values()))
    for name in shards:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelError(f"{folder / INDEX}: no file {name} beside it; fetch it")
    renamed = {
        name: Path(name.replace("pytorch_model", "model")).with_suffix(".safetensors").name for name in shards
    }
    written = [_file(folder / name, out / renamed[name]) for name in shards]
    index["weight_map"] = {
        parameter: renamed[name] for parameter, name in sorted(index["weight_map"].items())
    }
    target = out / "model.safetensors.index.json"
    target.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return [*written, target]


def _index(path: Path) -> dict[str, Any]:
    """Return the content of an index, whose `weight_map` says which file contains each tensor."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        names = index["weight_map"].values()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path}: not an index of weights: expected JSON with a `weight_map`; fetch it again"
        ) from error
    if not all(isinstance(name, str) and name for name in names):
        raise ModelError(f"{path}: its `weight_map` has a file name that is not text; fetch it again")
    return dict(index)


def _file(source: Path, target: Path) -> Path:
    tensors = _read(source)
    # Renamed last, so that a file of this name is always complete.
    unfinished = target.with_name(f"{target.name}.unfinished")
    save_file(tensors, unfinished, metadata={"format": "pt"})
    return unfinished.replace(target)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises whatever its reader of pickles and zip files meets
        lines = str(error).strip().splitlines()
        raise ModelError(
            f"{path}: not a file of plain tensors ({lines[0] if lines else type(error).__name__}); it was not loaded. "
            "Ask its author for safetensors"
        ) from error
    if not isinstance(loaded, Mapping) or not loaded:
        raise ModelError(
            f"{path}: contains a {type(loaded).__name__}, expected tensors by name; not converted"
        )
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise ModelError(f"{path}: {name!r} is a {type(value).__name__}, not a tensor; not converted")
        if value.layout != torch.strided or value.is_quantized:
            raise ModelError(
                f"{path}: {name!r} is sparse or quantised, which safetensors cannot store; not converted"
            )
    return {
        name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in loaded.items()
    }
