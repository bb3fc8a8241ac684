"""How far apart two computations of one number may lie on any CPU, measured on the numbers at hand."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

WIDEST = 64  # numbers in the longest sum of the two-layer models: their intermediate size
Tensors = Mapping[str, torch.Tensor]


def rounding(model: nn.Module, answer: Callable[[], torch.Tensor]) -> float:
    """Return how far an answer may move when its sums are taken in another order, in the model's own type.

    What floating point makes of a sum of n products is the exact sum of products that are each off by about √n units in the
    last place (Higham and Mary 2019, "A new approach to probabilistic rounding error analysis"). So every parameter is moved
    by one unit, up or down, and the distance that the answer then moves is multiplied by √n.
    """
    kept = [parameter.detach().clone() for parameter in model.parameters()]
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        before = answer()
        for parameter in model.parameters():
            up_or_down = torch.randint(0, 2, parameter.shape, generator=chance) * 2 - 1
            parameter.mul_(1 + torch.finfo(parameter.dtype).eps * up_or_down.to(parameter.dtype))
        after = answer()
        for parameter, was in zip(model.parameters(), kept, strict=True):
            parameter.copy_(was)
    unit = torch.finfo(before.dtype).eps * before.abs().max().item()  # the answer itself has no more digits
    return WIDEST**0.5 * max(distance(before, after), unit)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the largest difference of two numbers at the same place."""
    assert one.shape == other.shape
    return (one.double() - other.double()).abs().max().item()


def learnt_apart(one: Tensors, other: Tensors, start: Tensors) -> float:
    """Return the length of the difference of two trainings of the same factors, as a part of the way that one went.

    Not the largest difference: Adam divides a gradient by its own size, so a factor whose gradient is lost in rounding may
    take a whole step either way.
    """
    assert one.keys() == other.keys() == start.keys()
    between = sum((one[name].double() - other[name].double()).square().sum().item() for name in one)
    way = sum((one[name].double() - start[name].double()).square().sum().item() for name in one)
    assert way > 0, "nothing was learnt"
    return float((between / way) ** 0.5)
