"""The files that hold a checkpoint, and where in them each parameter lies."""

import json
from pathlib import Path

from harness.errors import ModelError
from harness.tensors import Tensor, TensorFile

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def stored(folder: Path) -> dict[str, Tensor]:
    """Parameter's name to where it lies."""
    if (folder / INDEX).is_file():
        return _sharded(folder)
    if (folder / SINGLE).is_file():
        file = TensorFile(folder / SINGLE)
        return {name: file.tensor(name) for name in file.names}
    if list(folder.glob("*.bin")):
        raise ModelError(f"{folder}: the weights are pickled (.bin); run `harness convert {folder}`")
    raise ModelError(f"{folder}: no {SINGLE} and no {INDEX}; a model is a folder in the hub's layout")


def _sharded(folder: Path) -> dict[str, Tensor]:
    path = folder / INDEX
    try:
        weight_map = dict(json.loads(path.read_text(encoding="utf-8"))["weight_map"])
        shards = {str(parameter): str(name) for parameter, name in weight_map.items()}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path}: no weight_map could be read; fetch it anew") from error
    missing = sorted({name for name in shards.values() if not (folder / name).is_file()})
    if missing:
        raise ModelError(f"{path}: {len(missing)} shards are missing, {missing[0]} the first; fetch them")
    files = {name: TensorFile(folder / name) for name in sorted(set(shards.values()))}
    for parameter, name in shards.items():
        if parameter not in files[name].names:
            raise ModelError(f"{path}: {parameter} should be in {name} and is not; fetch both anew")
    return {parameter: files[name].tensor(parameter) for parameter, name in shards.items()}
