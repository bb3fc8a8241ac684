"""A base's matrices as they were before they were overwritten, without a second copy in memory.

A tensor is read back from its checkpoint, where the file contains the same bytes at the moment of overwriting; otherwise
a copy is kept. The file is read and not mapped: the pages of a mapped file would stay in memory, as many as the base has.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import torch
from transformers import PreTrainedModel

from harness.checkpoints.safetensors import Tensor, TensorFile
from harness.errors import ModelError

UNSIGNED = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # bytes -> an integer as wide
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class Pristine:
    """The tensors that were overwritten, and where their content is kept. Files stay open, so that none can be replaced."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._open = ExitStack()
        self._files: dict[str, tuple[int, Tensor]] = {}  # tensor's name -> an open file, and where in it
        self._copies: dict[str, torch.Tensor] = {}
        for path in sorted(Path(model.name_or_path).glob("*.safetensors")) if model.name_or_path else []:
            try:
                file = self._open.enter_context(path.open("rb"))
                tensors = TensorFile(path)
            except (ModelError, OSError):
                continue  # a copy is kept instead
            self._files |= {name: (file.fileno(), tensors.tensor(name)) for name in tensors.names}

    def keep(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """Keep a tensor's content, and return it: from the file, or as a copy."""
        stored = self._stored(name, tensor)
        if stored is None:
            stored = self._copies[name] = tensor.detach().clone()
        return stored

    def read(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """Return the content that was kept, on the device and in the type of `like`."""
        kept = self._copies.get(name)
        return self._from_file(name).to(like.device, like.dtype) if kept is None else kept

    def close(self) -> None:
        """Close the files and drop the copies."""
        self._open.close()
        self._copies.clear()

    @property
    def copied_bytes(self) -> int:
        """Return the size of the copies."""
        return sum(copy.numel() * copy.element_size() for copy in self._copies.values())

    def _stored(self, name: str, tensor: torch.Tensor) -> torch.Tensor | None:
        """Return the file's tensor; None where it differs in any bit."""
        if name not in self._files:
            return None
        there = self._files[name][1]
        if there.shape != tuple(tensor.shape) or there.dtype not in DTYPES:
            return None
        try:
            stored = self._from_file(name).to(tensor.device, tensor.dtype)
        except OSError:
            return None
        bits = UNSIGNED[tensor.element_size()]
        return stored if torch.equal(stored.view(bits), tensor.detach().view(bits)) else None

    def _from_file(self, name: str) -> torch.Tensor:
        file, tensor = self._files[name]
        content = bytearray(tensor.size)
        view, done = memoryview(content), 0
        while done < tensor.size:
            count = os.preadv(file, [view[done:]], tensor.begin + done)
            if not count:
                raise OSError(f"{tensor.path}: ends before {name} does")
            done += count
        return torch.frombuffer(content, dtype=DTYPES[tensor.dtype]).view(tensor.shape)
