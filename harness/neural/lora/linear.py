"""A frozen linear map with its low-rank update: y = W x + b + scale · B A x (Hu et al. 2021).

peft composes the map of general parts, which pass over [tokens, width] three times; written out, it takes one pass. A
training step of a 15 M Llama (16 × 170 tokens, rank 16 on every linear map, one core with AMX: `make bench-lora-step`)
took 2.13 s with peft's layers and 1.80 s with these in float32, 1.46 s and 1.12 s in bfloat16.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout, linear


class LoraLinear(nn.Module):
    """A linear module with factors beside it. `weight` and `bias` are the module's own, for models that read them."""

    def __init__(self, frozen: nn.Module) -> None:
        super().__init__()
        self.frozen = frozen
        self.whole = is_plain_product(frozen)  # the product with W can be computed directly

    @property
    def weight(self) -> torch.Tensor:
        """Return the frozen module's weight."""
        weight: torch.Tensor = self.frozen.weight  # type: ignore[assignment]
        return weight

    @property
    def bias(self) -> torch.Tensor | None:
        """Return the frozen module's bias."""
        bias: torch.Tensor | None = self.frozen.bias  # type: ignore[assignment]
        return bias


class TrainableLora(LoraLinear):
    """Factors to train, in float32 whatever the frozen module's type: A random as peft draws it, B zero."""

    def __init__(self, frozen: nn.Linear, rank: int, scale: float, drop: float) -> None:
        super().__init__(frozen)
        # Two matrices drawn as nn.Linear draws its weight, then A again: peft uses up random numbers in this order.
        A = nn.Linear(frozen.in_features, rank, bias=False).weight
        B = nn.Linear(rank, frozen.out_features, bias=False).weight
        nn.init.kaiming_uniform_(A, a=math.sqrt(5))
        nn.init.zeros_(B)
        self.A = nn.Parameter(A.to(frozen.weight.device))
        self.B = nn.Parameter(B.to(frozen.weight.device))
        self.scale = scale
        self.drop = drop
        self.dropping = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return W x + b + scale · B A x."""
        drops = self.drop > 0 and self.dropping
        if self.whole and not drops:
            # In bfloat16 W + scale·B·A would round the update away.
            product: Any = _Merged if x.dtype == torch.float32 == self.weight.dtype else _TwoPaths
            answer: torch.Tensor = product.apply(x, self.weight, self.bias, self.A, self.B, self.scale)
            return answer
        y: torch.Tensor = self.frozen(x)
        seen = dropout(x, self.drop, training=drops)
        low: torch.Tensor = _Product.apply(seen, self.A, self.B, self.scale)  # type: ignore[no-untyped-call]
        return y + low.to(y.dtype)


class FrozenLora(LoraLinear):
    """Trained factors, in the type that the frozen module computes in, as in training."""

    def __init__(self, frozen: nn.Module, A: torch.Tensor, B: torch.Tensor, scale: float) -> None:
        super().__init__(frozen)
        self.A, self.B = A, B * scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return W x + b + scale · B A x."""
        y: torch.Tensor = self.frozen(x)
        if self.A.dtype != y.dtype:
            self.A, self.B = self.A.to(y.dtype), self.B.to(y.dtype)
        low = linear(x.to(y.dtype), self.A)
        return torch.addmm(_flat(y), _flat(low), self.B.t()).view(y.shape)


class _Merged(torch.autograd.Function):
    """The product with W + scale·B·A, which is formed in each pass.

    Forming it costs r multiplications for each number of W; the product costs one for each token.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,  # [..., in]
        W: torch.Tensor,  # [out, in]
        bias: torch.Tensor | None,
        A: torch.Tensor,  # [r, in]
        B: torch.Tensor,  # [out, r]
        scale: float,
    ) -> torch.Tensor:
        ctx.save_for_backward(x, W, A, B)
        ctx.scale = scale
        return linear(x, torch.addmm(W, B, A, alpha=scale), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, W, A, B = ctx.saved_tensors
        (over_y,) = gradients
        seen, pushed = _flat(x), _flat(over_y)
        over_A = ((pushed @ B).t() @ seen).mul_(ctx.scale)
        over_B = ((seen @ A.t()).t() @ pushed).t().mul_(ctx.scale)
        over_x = None
        if ctx.needs_input_grad[0]:
            over_x = (pushed @ torch.addmm(W, B, A, alpha=ctx.scale)).view(x.shape)
        return over_x, None, None, over_A, over_B, None


class _TwoPaths(torch.autograd.Function):
    """The product with W, and the factors' product added to it."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        W: torch.Tensor,
        bias: torch.Tensor | None,
        A: torch.Tensor,
        B: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        a, b = A.to(x.dtype), (B * scale).to(x.dtype)
        y, low = linear(x, W, bias), linear(x, a)
        _flat(y).addmm_(_flat(low), b.t())
        ctx.save_for_backward(x, low, W, a, b)
        ctx.scale, ctx.kept = scale, A.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, low, W, a, b = ctx.saved_tensors
        (over_y,) = gradients
        over_low, over_A, over_B = _over_factors(over_y, x, low, b, ctx.scale, ctx.kept)
        over_x = None
        if ctx.needs_input_grad[0]:
            over_x = (_flat(over_y) @ W).addmm_(over_low, a).view(x.shape)
        return over_x, None, None, over_A, over_B, None


class _Product(torch.autograd.Function):
    """The factors' product alone: scale·B·A x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, A: torch.Tensor, B: torch.Tensor, scale: float) -> torch.Tensor:
        a, b = A.to(x.dtype), (B * scale).to(x.dtype)
        low = linear(x, a)
        ctx.save_for_backward(x, low, a, b)
        ctx.scale, ctx.kept = scale, A.dtype
        return linear(low, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, low, a, b = ctx.saved_tensors
        (over_y,) = gradients
        over_low, over_A, over_B = _over_factors(over_y, x, low, b, ctx.scale, ctx.kept)
        over_x = (over_low @ a).view(x.shape) if ctx.needs_input_grad[0] else None
        return over_x, over_A, over_B, None


def _over_factors(
    over_y: torch.Tensor,
    x: torch.Tensor,
    low: torch.Tensor,  # A x
    b: torch.Tensor,  # scale·B
    scale: float,
    kept: torch.dtype,  # of the factors
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the loss's gradients with respect to A x, A and B."""
    pushed = _flat(over_y)
    over_low = pushed @ b
    over_A = (over_low.t() @ _flat(x)).to(kept)
    over_B = (_flat(low).t() @ pushed).t().to(kept).mul_(scale)
    return over_low, over_A, over_B


def _flat(x: torch.Tensor) -> torch.Tensor:  # [tokens, width]
    return x.reshape(-1, x.shape[-1])


def is_plain_product(module: nn.Module) -> bool:
    """Return whether a module computes W x + b from its `weight` and `bias`, without quantisation, hooks or other code.

    A subclass of nn.Linear, such as Falcon's, is tried on a few numbers.
    """
    if not isinstance(module, nn.Linear) or "forward" in vars(module):
        return False
    weight = module.weight
    if not weight.is_floating_point() or weight.shape != (module.out_features, module.in_features):
        return False
    if type(module) is nn.Linear:
        return True
    with torch.no_grad():
        probe = torch.linspace(-1, 1, module.in_features, device=weight.device, dtype=weight.dtype)[None]
        answer, expected = module(probe), linear(probe, weight, module.bias)
        return answer.dtype == expected.dtype and torch.allclose(answer, expected, rtol=1e-2, atol=1e-4)
