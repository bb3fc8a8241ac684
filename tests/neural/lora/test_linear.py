"""The layers of our own give what the formula gives, forward and back, whatever they are put on."""

import pytest
import torch
from torch import nn
from torch.nn.functional import linear
from transformers.models.falcon.modeling_falcon import FalconLinear

from harness.neural.lora.linear import FrozenLora, TrainableLora, is_plain_product

# Parts of the largest number. The longest sum here has n = 100 products, which rounding moves by some √n units in the last
# place (1.2e-6 in float32), several of them one after another; in bfloat16 sums are formed in float32, and factors, product,
# sum and answer are each rounded once, by at most 2⁻⁸ = 4e-3. A factor or a scale that is missing moves numbers by half.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 3e-2}


class Negated(nn.Linear):
    """Looks like a linear map and is another one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return -super().forward(x)


def filled(module: nn.Linear, rank: int = 3, drop: float = 0.0) -> TrainableLora:
    module.requires_grad_(False)
    update = TrainableLora(module, rank, 2.0, drop)
    nn.init.normal_(update.B)
    return update


def close(one: torch.Tensor, other: torch.Tensor, dtype: torch.dtype) -> bool:
    """Equal to so many parts of the largest number."""
    one, other = one.double(), other.double()
    return bool((one - other).abs().max() <= TOLERANCE[dtype] * other.abs().max())


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", [nn.Linear, FalconLinear, Negated])
def test_an_update_and_its_gradients_are_those_of_the_formula(
    kind: type[nn.Linear], bias: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    update = filled(kind(40, 24, bias=bias).to(dtype))
    x = torch.randn(2, 50, 40).to(dtype).requires_grad_()
    over_y = torch.randn(2, 50, 24).to(dtype)
    update(x).backward(over_y)

    wide = x.detach().double().requires_grad_()
    A, B = (factor.detach().double().requires_grad_() for factor in (update.A, update.B))
    W, b = update.weight.double(), update.bias.double() if bias else None
    sign = -1 if kind is Negated else 1
    wanted = sign * linear(wide, W, b) + 2.0 * wide @ A.t() @ B.t()
    wanted.backward(over_y.double())
    assert close(update(x), wanted, dtype)
    for found, expected in ((x.grad, wide.grad), (update.A.grad, A.grad), (update.B.grad, B.grad)):
        assert found is not None and expected is not None
        assert close(found, expected, dtype)
    assert update.A.grad is not None and update.A.grad.dtype == torch.float32


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_an_input_without_a_gradient_gets_none_and_the_factors_theirs(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    update = filled(nn.Linear(8, 6).to(dtype))
    x = torch.randn(5, 8).to(dtype)
    update(x).float().sum().backward()
    assert x.grad is None
    ones = torch.ones(5, 6).to(dtype)
    assert update.B.grad is not None
    assert close(update.B.grad, 2.0 * (ones.t() @ (x @ update.A.to(dtype).t())).float(), dtype)


def test_dropout_drops_what_the_factors_see_and_only_in_training() -> None:
    update = filled(nn.Linear(400, 6).double(), drop=0.25)
    A, B = update.A.double(), update.B.double()
    x = torch.ones(1, 400, dtype=torch.float64)
    whole = update(x)
    # Sums of 400 numbers below 10 in float64: what rounding leaves is below 400 · 10 · 2⁻⁵².
    assert torch.allclose(whole, linear(x, update.weight + 2.0 * B @ A, update.bias), rtol=0, atol=1e-11)
    update.dropping = True
    torch.manual_seed(3)
    found = update(x)
    torch.manual_seed(3)
    seen = torch.nn.functional.dropout(x, 0.25)
    assert 0.6 < (seen > 0).float().mean() < 0.9
    wanted = linear(x, update.weight, update.bias) + 2.0 * seen @ A.t() @ B.t()
    assert torch.allclose(found, wanted, rtol=0, atol=1e-11)
    assert not torch.allclose(found, whole, atol=1e-2)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_fixed_update_is_what_training_multiplied_with(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    update = filled(nn.Linear(40, 24).to(dtype))
    fixed = FrozenLora(update.frozen, update.A.detach(), update.B.detach(), 2.0)
    x = torch.randn(2, 5, 40).to(dtype)
    with torch.no_grad():
        assert close(fixed(x).float(), update(x).float(), dtype)
    assert fixed.weight is update.weight


def test_what_only_looks_like_a_product_is_told_from_one() -> None:
    hooked = nn.Linear(4, 4)
    hooked.forward = lambda x: x  # type: ignore[method-assign,assignment]  # as accelerate's hooks do
    packed = nn.Linear(4, 4)
    packed.weight = nn.Parameter(
        torch.zeros(8, 1, dtype=torch.uint8), requires_grad=False
    )  # as bitsandbytes does
    assert is_plain_product(nn.Linear(4, 3)) and is_plain_product(FalconLinear(4, 3, bias=False))
    assert not any(map(is_plain_product, (Negated(4, 3), hooked, packed, nn.Embedding(4, 4))))
