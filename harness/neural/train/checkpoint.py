"""A run's checkpoint: one file, replaced by a rename, with tensors by name and the run's state as JSON in the header."""

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
    """The progress of a training run."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf  # on the validation samples, at the best step
    best_score: float | None = None  # of the metric that chooses, at the best step
    stale: int = 0  # measurements since the best one
    ended: bool = False  # by the recipe's patience
    seconds: float = 0.0
    samples_seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCheckpoint:
    """All that a run needs to continue as if it had never been interrupted."""

    state: RunState
    adapter: Tensors
    best: Tensors | None  # the factors of the best measurement so far
    optimizer: Mapping[int, Tensors]  # the state of each parameter, by its position


def write(path: Path, checkpoint: TrainingCheckpoint) -> None:
    """Write a checkpoint to a file beside the last one, and replace that by a rename."""
    tensors = {f"adapter.{name}": tensor for name, tensor in checkpoint.adapter.items()}
    tensors |= {f"best.{name}": tensor for name, tensor in (checkpoint.best or {}).items()}
    for index, moments in checkpoint.optimizer.items():
        tensors |= {f"optimizer.{index}.{name}": tensor.cpu() for name, tensor in moments.items()}
    beside = path.with_suffix(".new")
    save_file(tensors, beside, metadata={"progress": json.dumps(asdict(checkpoint.state))})
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def read(path: Path) -> TrainingCheckpoint:
    """Return the checkpoint in a file."""
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
    return TrainingCheckpoint(
        state=state, adapter=parts["adapter"], best=parts["best"] or None, optimizer=optimizer
    )
