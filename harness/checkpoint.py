"""A checkpoint's folder, without loading it: which files make it, how many parameters, of what kind."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ModelError

# What decides a model's answers; read-mes, training logs and optimiser states do not.
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

_METADATA = re.compile(r"\s*---[^\S\n]*\n(.*?)\n---\s*?(\n|$)", re.DOTALL)  # as the hub finds it
_HEADER_LIMIT = 100_000_000  # bytes; what the safetensors format allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the files say of a model."""

    model_type: str  # config.json's
    parameters: int  # stored tensors; tied ones are stored once
    stored_bytes: int


def read(folder: Path) -> Checkpoint:
    """Reads config.json and the headers of the weights, not the weights."""
    parameters = stored_bytes = 0
    for path in weights(folder):
        for shape, size in _tensors(path):
            parameters += math.prod(shape)
            stored_bytes += size
    return Checkpoint(
        model_type=model_type(folder / "config.json"), parameters=parameters, stored_bytes=stored_bytes
    )


def licence(folder: Path) -> str | None:
    """What the metadata of its README.md says, the hub's model card; None where nothing can be read there."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        block = _METADATA.match((folder / "README.md").read_text(encoding="utf-8-sig"))
        said = YAML(typ="safe", pure=True).load(block[1]) if block else None
    except (OSError, ValueError, YAMLError):
        return None
    if not isinstance(said, dict):
        return None
    found = said.get("license")
    if found == "other":  # one that the hub has no word for
        found = said.get("license_name") or found
    named = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
    return ", ".join(named) or None


def model_type(config: Path) -> str:
    try:
        found = json.loads(config.read_text(encoding="utf-8")).get("model_type", "")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{config}: no readable config.json; give a folder as `save_pretrained` writes it"
        ) from error
    return str(found)


def weights(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that hold the model; pickles are never read."""
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; give a checkpoint's folder as `save_pretrained` writes it"
        )
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ModelError(
                f"{folder}: {missing[0]} is missing, which {index.name} names; fetch the checkpoint again"
            )
        return tuple(folder / name for name in names)
    if (folder / "model.safetensors").is_file():
        return (folder / "model.safetensors",)
    if pickles := sorted(path.name for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pth")):
        raise ModelError(
            f"{folder}: found {pickles[0]}, a pickle, which may run code; {convert_hint(str(folder))}"
        )
    raise ModelError(
        f"{folder}: found no model.safetensors; give a checkpoint's folder as `save_pretrained` writes it"
    )


def convert_hint(place: str) -> str:
    return f"run `harness convert {place}` once and use the folder it writes"


def identity(folder: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    """The files that make a checkpoint or an adapter what it is, sorted by name."""
    return tuple(sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}))


def _tensors(path: Path) -> list[tuple[tuple[int, ...], int]]:
    """Shape and bytes of every tensor, from the file's header: 8 bytes that give its length, then JSON."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > _HEADER_LIMIT:
                raise ValueError(f"header of {size} bytes")
            header = json.loads(file.read(size))
        tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
        return [(tuple(one["shape"]), one["data_offsets"][1] - one["data_offsets"][0]) for one in tensors]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not safetensors, or torn ({error}); fetch or save it again") from error
