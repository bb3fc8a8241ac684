"""A run's checkpoint: one file, replaced by one rename. Tensors by name, and where the run stands as JSON in its header."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

Tensors = Mapping[str, torch.Tensor]


@dataclass(slots=True)
class RunState:
    """Where a run stands."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0
    samples_seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """All that a run needs to go on as if it had never stopped."""

    state: RunState
    adapter: Tensors
    best: Tensors | None  # the factors of the lowest validation loss so far
    optimizer: Mapping[int, Tensors]  # of each parameter, by its place


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint beside the last one, and put it in its place."""
    tensors = {f"adapter.{name}": tensor for name, tensor in checkpoint.adapter.items()}
    tensors |= {f"best.{name}": tensor for name, tensor in (checkpoint.best or {}).items()}
    for index, moments in checkpoint.optimizer.items():
        tensors |= {f"optimizer.{index}.{name}": tensor.cpu() for name, tensor in moments.items()}
    beside = path.with_suffix(".new")
    save_file(tensors, beside, metadata={"progress": json.dumps(asdict(checkpoint.state))})
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def read(path: Path) -> Checkpoint:
    """Return the checkpoint that a file holds."""
    with safe_open(path, framework="pt") as file:
        state = RunState(**json.loads(file.metadata()["progress"]))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    parts: dict[str, dict[str, torch.Tensor]] = {"adapter": {}, "best": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    optimizer: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in parts["optimizer"].items():
        index, _, key = name.partition(".")
        optimizer.setdefault(int(index), {})[key] = tensor
    return Checkpoint(state=state, adapter=parts["adapter"], best=parts["best"] or None, optimizer=optimizer)
