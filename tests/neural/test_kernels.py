"""What computes in fewer passes gives what transformers and torch give, forward and back, and is gone afterwards."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers.models.cohere.modeling_cohere import apply_rotary_pos_emb as rotate_neighbours
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.gpt_neox import modeling_gpt_neox
from transformers.models.llama import modeling_llama
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.phi3 import modeling_phi3
from transformers.models.t5.modeling_t5 import T5LayerNorm

from harness.neural.kernels import ATTENTION_TOKENS, _rotate, _rotates_as_llama, quick, quick_attention
from harness.neural.load import Base

CPU = torch.device("cpu")


def run(compute: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> list[torch.Tensor]:
    """The answer, and the gradients of a sum over it in which every number counts for something else."""
    leaves = [one.detach().clone().requires_grad_() for one in inputs]
    answer = compute(*leaves)
    weights = torch.linspace(-1, 1, answer.numel()).view(answer.shape)
    (answer.float() * weights).sum().backward()
    return [answer.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def compare(found: list[torch.Tensor], wanted: list[torch.Tensor], tolerance: float) -> None:
    """Equal to so many parts of the largest number.

    In float32 a unit in the last place is 1.2e-7 of a number, and a sum of at most 24 is taken: 1e-5 is some 80 units. In
    bfloat16 a rounding is off by at most 2⁻⁸ = 4e-3: two of them on each side make 1.6e-2, which no CPU goes past; attention
    rounds weights, answer and gradient besides.
    """
    assert len(found) == len(wanted) > 1
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        assert (one.float() - other.float()).abs().max() <= tolerance * other.float().abs().max()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)], ids=str)
@pytest.mark.parametrize("kind", [LlamaRMSNorm, T5LayerNorm])
def test_a_norm_is_transformers_own(kind: type[nn.Module], dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    norm = kind(24).to(dtype).requires_grad_(False)
    nn.init.uniform_(norm.get_parameter("weight"), 0.5, 2.0)
    x = (torch.randn(2, 7, 24) * 3).to(dtype)
    wanted = run(norm, x)
    with quick(norm, CPU):
        assert "forward" in vars(norm)
        found = run(norm, x)
    assert "forward" not in vars(norm)
    compare(found, wanted, tolerance)


def test_a_norm_that_computes_otherwise_is_left_alone() -> None:
    """Gemma multiplies by one more than its weight; a layer norm takes the mean off."""
    modules = nn.ModuleList([GemmaRMSNorm(8), nn.LayerNorm(8)])
    with quick(modules, CPU):
        assert not any("forward" in vars(module) for module in modules)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)], ids=str)
def test_a_rotation_is_transformers_own(llama: Base, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    angle = torch.rand(2, 5, 4).repeat(1, 1, 2)
    cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
    q, k = torch.randn(2, 4, 5, 8).to(dtype), torch.randn(2, 2, 5, 8).to(dtype)

    def both(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        one, other = modeling_llama.apply_rotary_pos_emb(q, k, cos, sin)
        return torch.cat([one.flatten(), other.flatten()])

    own = modeling_llama.apply_rotary_pos_emb
    wanted = run(both, q, k)
    with quick(llama.model, CPU):
        assert modeling_llama.apply_rotary_pos_emb is not own
        found = run(both, q, k)
    assert modeling_llama.apply_rotary_pos_emb is own
    compare(found, wanted, tolerance)


@pytest.mark.parametrize("code", [modeling_gpt_neox, modeling_phi3], ids=lambda code: code.__name__)
def test_a_rotation_of_a_part_of_each_head_leaves_the_rest(code: Any) -> None:
    """Pythia turns a quarter of each head, Phi-4-mini three quarters; there are as many angles."""
    own = code.apply_rotary_pos_emb
    assert _rotates_as_llama(own)
    torch.manual_seed(0)
    angle = torch.rand(2, 5, 2).repeat(1, 1, 2)
    q, k = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 5, 8)
    for width in (4, 8):

        def both(rotate: Callable[..., Any], width: int = width) -> Callable[..., torch.Tensor]:
            turned = angle.repeat(1, 1, 2)[..., :width]
            return lambda q, k: torch.cat([one.flatten() for one in rotate(q, k, turned.cos(), turned.sin())])

        compare(run(both(_rotate), q, k), run(both(own), q, k), 1e-5)


def test_a_rotation_of_neighbours_is_told_from_one_of_halves() -> None:
    assert _rotates_as_llama(modeling_llama.apply_rotary_pos_emb)
    assert not _rotates_as_llama(rotate_neighbours)
    assert not _rotates_as_llama(None)


def masks() -> dict[str, dict[str, object]]:
    blocked = torch.rand(2, 1, 9, 9) < 0.4
    blocked[..., 0] = False  # no row may see nothing
    biased = torch.randn(1, 4, 9, 9).bfloat16()
    return {
        "nothing": {},
        "causal": {"is_causal": True},
        "boolean": {"attn_mask": ~blocked},
        "added": {"attn_mask": biased.masked_fill(blocked, torch.finfo(torch.bfloat16).min)},
        "scaled": {"is_causal": True, "scale": 1.0},
    }


@pytest.mark.parametrize("heads", [4, 2, 1])
@pytest.mark.parametrize("mask", masks())
def test_attention_in_bfloat16_is_torchs_own(mask: str, heads: int) -> None:
    torch.manual_seed(0)
    more = masks()[mask] | ({} if heads == 4 else {"enable_gqa": True})
    q = torch.randn(2, 4, 9, 8).bfloat16()
    k, v = torch.randn(2, heads, 9, 8).bfloat16(), torch.randn(2, heads, 9, 8).bfloat16()

    def attend(*parts: torch.Tensor) -> torch.Tensor:
        return functional.scaled_dot_product_attention(*parts, **more)  # type: ignore[arg-type]

    own = functional.scaled_dot_product_attention
    wanted = (
        [one.float() for one in run(attend, q.float(), k.float(), v.float())] if mask != "added" else None
    )
    if wanted is None:
        more["attn_mask"] = more["attn_mask"].float()  # type: ignore[attr-defined]
        wanted = run(attend, q.float(), k.float(), v.float())
        more["attn_mask"] = more["attn_mask"].bfloat16()  # type: ignore[attr-defined]
    with quick_attention(CPU, torch.bfloat16):
        assert functional.scaled_dot_product_attention is not own
        found = run(attend, q, k, v)
    assert functional.scaled_dot_product_attention is own
    compare([one.float() for one in found], wanted, 3e-2)


@pytest.mark.parametrize(
    ("tokens", "dtype", "more"),
    [
        (ATTENTION_TOKENS + 1, torch.bfloat16, {"is_causal": True}),
        (9, torch.float32, {"is_causal": True}),
        (9, torch.bfloat16, {"attn_mask": torch.zeros(9, 9, dtype=torch.bfloat16, requires_grad=True)}),
    ],
    ids=["long rows", "float32", "a mask that learns"],
)
def test_attention_that_gains_nothing_or_needs_more_is_torchs(
    tokens: int, dtype: torch.dtype, more: dict[str, object]
) -> None:
    q = torch.randn(1, 2, tokens, 8).to(dtype).requires_grad_()
    with quick_attention(CPU, torch.bfloat16):
        answer = functional.scaled_dot_product_attention(q, q, q, **more)  # type: ignore[arg-type]
    assert "_Attention" not in type(answer.grad_fn).__name__


def test_a_gpu_and_float32_keep_torchs_attention() -> None:
    own = functional.scaled_dot_product_attention
    with quick_attention(torch.device("cuda"), torch.bfloat16), quick_attention(CPU, torch.float32):
        assert functional.scaled_dot_product_attention is own


@pytest.mark.parametrize("tokens", [1, 5], ids=["one token a row", "prompts"])
@pytest.mark.parametrize("mask_heads", [None, 1, 6], ids=["causal", "one mask", "a mask a head"])
def test_heads_that_share_keys_see_what_they_saw(llama: Base, tokens: int, mask_heads: int | None) -> None:
    torch.manual_seed(0)
    wide = torch.float64
    query = torch.randn(3, 6, tokens, 8, dtype=wide)
    key, value = torch.randn(3, 1, 5, 8, dtype=wide), torch.randn(3, 1, 5, 8, dtype=wide)
    said: dict[str, object] = {"is_causal": tokens > 1}
    if mask_heads:
        said = {"attn_mask": torch.randn(3, mask_heads, tokens, 5, dtype=wide)}
    repeated = (query, key.repeat(1, 6, 1, 1), value.repeat(1, 6, 1, 1))
    wanted = functional.scaled_dot_product_attention(*repeated, **said)  # type: ignore[arg-type]
    own = functional.scaled_dot_product_attention(query, key, value, **said)  # type: ignore[arg-type]
    with quick(llama.model, CPU):
        with torch.no_grad():
            shared = functional.scaled_dot_product_attention(query, key, value, **said)  # type: ignore[arg-type]
        learning = functional.scaled_dot_product_attention(query, key, value, **said)  # type: ignore[arg-type]
    torch.testing.assert_close(shared, wanted)
    assert learning.equal(own)


def test_two_models_of_a_class_may_be_open_at_once(
    llama: Base, folders: Callable[..., Path], open_base: Callable[..., Base]
) -> None:
    """In whatever order they are closed."""
    own = modeling_llama.apply_rotary_pos_emb
    first, second = ExitStack(), ExitStack()
    first.enter_context(quick(llama.model, CPU))
    second.enter_context(quick(open_base(folders("llama")).model, CPU))
    assert modeling_llama.apply_rotary_pos_emb is not own
    first.close()
    second.close()
    assert modeling_llama.apply_rotary_pos_emb is own


def test_a_model_is_its_own_again_even_after_an_error(base: Base) -> None:
    forwards = {name: vars(module).get("forward") for name, module in base.model.named_modules()}
    own = functional.scaled_dot_product_attention
    with pytest.raises(RuntimeError), quick(base.model, CPU), quick_attention(CPU, torch.bfloat16):
        raise RuntimeError("in the middle")
    assert {name: vars(module).get("forward") for name, module in base.model.named_modules()} == forwards
    assert functional.scaled_dot_product_attention is own
