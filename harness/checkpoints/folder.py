"""A checkpoint's folder, without loading it: its files, its type and its number of parameters."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checkpoints.safetensors import AGAIN, TensorFile
from harness.errors import ModelError, NotRegular
from harness.files.regular import regular_text

# The files that determine a model's answers; read-mes, training logs and optimiser states do not.
FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "chat_template*",
    "*.py",
    "model*.safetensors",
    "model.safetensors.index.json",
)
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# Of an adapter that the harness trained: {"base": name, "digest": of the base's weights}, and how it was asked
# (asked_with.py).
ADAPTER_RECORD = "harness.json"
ADAPTER_PICKLE = "adapter_model.bin"
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
SAVED = "give a folder as `save_pretrained` writes it"

_METADATA = re.compile(r"\s*---[^\S\n]*\n(.*?)\n---\s*?(\n|$)", re.DOTALL)  # as the hub finds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The type and size of a model, from its files."""

    model_type: str  # as in config.json
    parameters: int  # of stored tensors; tied tensors are stored once
    stored_bytes: int


def read(folder: Path) -> Checkpoint:
    """Return the type and size of a model, from config.json and the headers of the weights."""
    files = headers(folder).values()
    return Checkpoint(
        model_type=model_type(folder / CONFIG),
        parameters=sum(math.prod(file.shape(name)) for file in files for name in file.names),
        stored_bytes=sum(file.stored_bytes(name) for file in files for name in file.names),
    )


def licence(folder: Path) -> str | None:
    """Return the licence in the metadata of the model card (README.md); None where there is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        block = _METADATA.match(regular_text(folder / "README.md").removeprefix("\ufeff"))
        metadata = YAML(typ="safe", pure=True).load(block[1]) if block else None
    except (OSError, ValueError, YAMLError, NotRegular):
        return None
    if not isinstance(metadata, dict):
        return None
    found = metadata.get("license")
    if found == "other":  # a licence without an identifier on the hub
        found = metadata.get("license_name") or found
    names = found if isinstance(found, list) else [found]
    return ", ".join(name for name in names if isinstance(name, str)) or None


def model_type(path: Path) -> str:
    """Return the `model_type` of a config.json; empty where there is none."""
    found = config(path).get("model_type", "")
    if not isinstance(found, str):
        raise ModelError(f"{path}: model_type is {found!r}, expected text; {SAVED}")
    return found


def config(path: Path) -> Mapping[str, Any]:
    """Return the content of a config.json."""
    if not path.is_file():
        if (path.parent / ADAPTER_FILES[0]).is_file():
            raise ModelError(
                f"{path.parent}: an adapter, and no base; name its base as the model, and the adapter under `adapters` (an "
                "adapter is trained on a base alone: merge this one into its base first to train another on top)"
            )
        raise ModelError(f"{path}: no such file; {SAVED}")
    return json_mapping(path)


def json_mapping(path: Path) -> Mapping[str, Any]:
    """Return the content of a JSON file of a model's folder; ModelError where it is not an object."""
    try:
        found = json.loads(regular_text(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); fetch or save it again") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: broken: not JSON ({error}); {AGAIN}") from error
    if not isinstance(found, dict):
        raise ModelError(
            f"{path}: broken: a JSON {type(found).__name__}, expected an object of names and values; {AGAIN}"
        )
    return found


def weights(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files of a model; pickles are never read.

    A single file wins over an index, as it does in transformers.
    """
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; give a checkpoint's folder as `save_pretrained` writes it"
        )
    if (folder / SINGLE).is_file():
        return (folder / SINGLE,)
    if (folder / INDEX).is_file():
        names = sorted(set(weight_map(folder).values()))
        if missing := [name for name in names if not (folder / name).is_file()]:
            more = f", as are {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ModelError(
                f"{folder}: {missing[0]} is missing, which {INDEX} names{more}; fetch the checkpoint again"
            )
        return tuple(folder / name for name in names)
    if pickles := sorted(path.name for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pth")):
        raise ModelError(
            f"{folder}: found {pickles[0]}, a pickle, which may run code; {convert_hint(str(folder))}"
        )
    if others := sorted(path.name for path in folder.iterdir() if path.suffix == ".gguf"):
        raise ModelError(
            f"{folder}: found no {SINGLE}, but {others[0]}; name the file itself: `uri: file:{folder / others[0]}`"
        )
    raise ModelError(
        f"{folder}: found no {SINGLE}; give a checkpoint's folder as `save_pretrained` writes it"
    )


def weight_map(folder: Path) -> Mapping[str, str]:
    """Return the shard of each parameter, from the index."""
    path = folder / INDEX
    found = json_mapping(path).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise ModelError(f"{path}: broken: no weight_map, which says which shard has each tensor; {AGAIN}")
    for parameter, name in found.items():
        if not isinstance(name, str) or Path(name).name != name or len(name) > 255:
            raise ModelError(
                f"{path}: {parameter} should be in {name!r}, which is not a file of the folder; {AGAIN}"
            )
    return found


def headers(folder: Path) -> Mapping[str, TensorFile]:
    """Return the model's files by name, with headers read; ModelError where a shard lacks a tensor of the index."""
    files = {path.name: TensorFile(path) for path in weights(folder)}
    if SINGLE in files:
        return files
    tensors = {name: frozenset(file.names) for name, file in files.items()}
    for parameter, name in weight_map(folder).items():
        if parameter not in tensors[name]:
            raise ModelError(
                f"{folder / INDEX}: {parameter} should be in {name} and is not; fetch both again"
            )
    return files


def convert_hint(place: str) -> str:
    """Return how to convert pickled weights to safetensors."""
    return f"run `harness convert {place}` once and use the folder it writes"


def identity(folder: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that identify a checkpoint or an adapter, sorted by name."""
    return tuple(sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}))
