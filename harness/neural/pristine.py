"""A base's matrices as they were before something was written over them, without a second copy in memory.

A tensor is read back from the checkpoint it came from, where the file proves to hold the same bytes at the moment it is
written over; only where it does not is a copy kept.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel

UNSIGNED = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # bytes -> an integer as wide


class Pristine:
    """What was written over, and where to find it. The files stay open, so that nobody can put others in their place."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._open = ExitStack()
        self._files: dict[str, Any] = {}  # tensor's name -> safetensors' handle
        self._copies: dict[str, torch.Tensor] = {}
        for path in sorted(Path(model.name_or_path).glob("*.safetensors")) if model.name_or_path else []:
            try:
                file = self._open.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError):
                continue  # a copy serves as well
            self._files |= dict.fromkeys(file.keys(), file)

    def keep(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """Remembers what a tensor holds, and gives it: from the file, or as the copy that is kept."""
        stored = self._stored(name, tensor)
        if stored is None:
            stored = self._copies[name] = tensor.detach().clone()
        return stored

    def read(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """What a tensor that was kept held then, on the device and in the type of `like`."""
        kept = self._copies.get(name)
        return self._files[name].get_tensor(name).to(like.device, like.dtype) if kept is None else kept

    def close(self) -> None:
        self._open.close()
        self._copies.clear()

    @property
    def copied_bytes(self) -> int:
        return sum(copy.numel() * copy.element_size() for copy in self._copies.values())

    def _stored(self, name: str, tensor: torch.Tensor) -> torch.Tensor | None:
        """The file's tensor, where it is the same bit for bit."""
        if name not in self._files:
            return None
        stored = self._files[name].get_tensor(name)
        if stored.shape != tensor.shape or not stored.is_floating_point():
            return None
        stored = stored.to(tensor.device, tensor.dtype)
        bits = UNSIGNED[tensor.element_size()]
        return stored if torch.equal(stored.view(bits), tensor.detach().view(bits)) else None
