"""Rows of tokens as tensors, on the model's device."""

from collections.abc import Sequence

import torch


def filled(
    rows: Sequence[Sequence[int]], fill: int, device: torch.device
) -> torch.Tensor:  # int64 [rows, longest]
    """Return rows as one tensor, the shorter rows padded on the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], device=device)


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return the tensor on a device; the copy to a GPU runs while this process goes on."""
    if device.type != "cuda":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)
