"""An adapter's folder in PEFT's layout, with a file that records which base it was trained on."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from harness.checkpoints.adapter import CONFIG, WEIGHTS, is_lora
from harness.checkpoints.folder import ADAPTER_PICKLE, ADAPTER_RECORD, json_mapping
from harness.checkpoints.safetensors import TensorFile
from harness.errors import AdapterError
from harness.neural.foreign import readable_errors
from harness.neural.load import Base
from harness.neural.lora.factors import UNSOUND, AttachedLora


def save(
    attached: AttachedLora,
    base: Base,
    folder: Path,
    tensors: Mapping[str, torch.Tensor] | None = None,  # None: the attached factors
    labels: tuple[str, ...] | None = None,  # of the head that is among them; None: there is no head
) -> None:
    """Write an adapter in PEFT's layout; the same factors give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    found = attached.exported(tensors if tensors is not None else attached.tensors())
    save_file(
        {name: found[name].contiguous() for name in sorted(found)},
        folder / WEIGHTS,
        metadata={"format": "pt"},
    )
    settings = json.dumps(attached.settings(), indent=2, sort_keys=True)
    (folder / CONFIG).write_text(settings + "\n", encoding="utf-8")
    ours: dict[str, object] = {"base": base.recorded, "digest": base.digest}
    if base.gguf is not None:
        ours["gguf"] = base.gguf
    if labels is not None:
        ours["labels"] = list(labels)
    (folder / ADAPTER_RECORD).write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")


def inert(folder: Path) -> bool:
    """Return whether the adapter changes nothing: every B is zero, and no module is saved whole.

    The tensors of another kind than LoRA do not show it: there only answers that all equal the base's do.
    """
    tensors = read_tensors(folder)
    if _record(folder).get("labels") is not None or not is_lora(folder):
        return False
    return all(
        not tensor.any() for name, tensor in tensors.items() if "lora_B" in name or "lora_embedding_B" in name
    )


def read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """Return an adapter's tensors by their names on disk; AdapterError where a number is not finite."""
    path = folder / WEIGHTS
    if not path.is_file():
        pickled = (folder / ADAPTER_PICKLE).is_file()
        hint = (
            f"it contains pickled weights; run `harness convert {folder}`"
            if pickled
            else "the adapter is not complete"
        )
        raise AdapterError(f"{folder}: no {WEIGHTS}; {hint}")
    with readable_errors(str(path), "save the adapter again", AdapterError):
        TensorFile(path)  # raises with the reason where the file is torn, which the library does not
        found: dict[str, torch.Tensor] = load_file(path)
    bad = [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise AdapterError(
            f"adapter {path}: numbers that are not finite in {', '.join(bad[:3])}{more}; it {UNSOUND}"
        )
    return found


def recorded_base(folder: Path) -> tuple[str, str]:
    """Return the base's name and digest, which the harness writes into its own adapters; both are empty for others."""
    path, recorded = folder / ADAPTER_RECORD, _record(folder)
    base, digest = recorded.get("base", ""), recorded.get("digest", "")
    if not isinstance(base, str) or not isinstance(digest, str):
        raise AdapterError(
            f"{path}: base and digest must be text; train the adapter again, or delete the file"
        )
    return base, digest


def recorded_labels(folder: Path) -> tuple[str, ...] | None:
    """Return the labels of an adapter's head, as the harness recorded them; None where it did not."""
    found = _record(folder).get("labels")
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise AdapterError(
            f"{folder / ADAPTER_RECORD}: labels must be a list of texts; train the adapter again, or delete the file"
        )
    return tuple(found)


def _record(folder: Path) -> Mapping[str, object]:
    """Return what the harness recorded about an adapter; empty for adapters of others."""
    path = folder / ADAPTER_RECORD
    if not path.is_file():
        return {}
    with readable_errors(str(path), "train the adapter again, or delete the file", AdapterError):
        return json_mapping(path)
