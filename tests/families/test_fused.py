"""The parts of a fused matrix are what the model's own code makes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from harness import families
from harness.weights.fused import rows_of_parts
from harness.weights.read import Matrix, matrices
from tests.families.variants import VARIANTS

FUSED = {  # variant -> the module of the first layer that has q, k and v in one
    "falcon-7b": "transformer.h.0.self_attention.query_key_value",
    "falcon-40b": "transformer.h.0.self_attention.query_key_value",
    "falcon-rw-1b": "transformer.h.0.self_attention.query_key_value",
    "gpt2": "transformer.h.0.attn.c_attn",
    "pythia": "gpt_neox.layers.0.attention.query_key_value",
    "phi-3": "model.layers.0.self_attn.qkv_proj",
    "phi-4": "model.layers.0.self_attn.qkv_proj",
}


def parts_of(name: str, folder: Path) -> dict[str, Matrix]:
    family = families.of(VARIANTS[name].model_type)
    return {matrix.name: matrix for matrix in matrices(folder, family, lambda name, role: True, split=True)}


def bias_of(
    module: Any, part: str, folder_parts: int, fused: Any, config: dict[str, Any]
) -> NDArray[np.float64]:
    if module.bias is None:
        return np.zeros(1)
    rows = rows_of_parts(fused, folder_parts, config)[part]
    return np.concatenate([module.bias.detach().numpy()[piece] for piece in rows])


@pytest.mark.parametrize("name", FUSED)
def test_queries_keys_and_values_are_those_that_attention_gets(
    name: str, folder_of: Callable[[str], Path], plain: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first position, where a rotary embedding turns nothing."""
    model, parts = plain(name, torch.float64), parts_of(name, folder_of(name))
    module = model.get_submodule(FUSED[name])
    given: list[torch.Tensor] = []
    attended: list[dict[str, torch.Tensor]] = []
    own = functional.scaled_dot_product_attention

    def spy(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args: Any, **more: Any
    ) -> torch.Tensor:
        attended.append({"q": query, "k": key, "v": value})
        return own(query, key, value, *args, **more)

    module.register_forward_hook(lambda module, args, out: given.append(args[0]))
    monkeypatch.setattr(functional, "scaled_dot_product_attention", spy)
    with torch.no_grad():
        model(input_ids=torch.arange(3, 23)[None])
    x = given[0][0, 0].numpy()
    family = families.of(VARIANTS[name].model_type)
    fused = family.fused[FUSED[name].rpartition(".")[2]]
    rows = module.weight.shape[1 if family.fan_in_fan_out else 0]
    for part in ("q", "k", "v"):
        matrix = parts[f"{FUSED[name]}.{part}"]
        assert (matrix.role, matrix.status, matrix.array is not None) == (part, "read", True)
        heads = attended[0][part][
            0, :, 0
        ]  # [heads, width]; a shared key may stand there once for each of its queries
        shared = heads.numel() // matrix.shape[0]
        expected = heads[::shared].flatten().numpy()
        bias = bias_of(module, part, rows, fused, model.config.to_dict())
        np.testing.assert_allclose(matrix.array @ x + bias, expected, rtol=1e-9, atol=1e-9)
        assert matrix.shape[0] * shared == heads.numel()


@pytest.mark.parametrize("name", ["phi-3", "phi-4"])
def test_gate_and_up_are_those_that_the_feed_forward_part_multiplies(
    name: str, folder_of: Callable[[str], Path], plain: Callable[..., Any]
) -> None:
    model, parts = plain(name, torch.float64), parts_of(name, folder_of(name))
    at = "model.layers.0.mlp.gate_up_proj"
    seen: dict[str, torch.Tensor] = {}
    for module in ("gate_up_proj", "down_proj"):
        model.get_submodule(f"model.layers.0.mlp.{module}").register_forward_hook(
            lambda _, args, out, module=module: seen.update({module: args[0][0]})
        )
    with torch.no_grad():
        model(input_ids=torch.arange(3, 23)[None])
    gate, up = parts[f"{at}.gate"], parts[f"{at}.up"]
    assert gate.role == up.role == "feed-forward"
    assert gate.array is not None
    assert up.array is not None
    x = seen["gate_up_proj"]
    made = functional.silu(x @ torch.from_numpy(gate.array.T.astype(np.float64)))
    made = made * (x @ torch.from_numpy(up.array.T.astype(np.float64)))
    torch.testing.assert_close(made, seen["down_proj"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", FUSED)
def test_the_parts_have_all_rows_once(name: str, folder_of: Callable[[str], Path]) -> None:
    parts = parts_of(name, folder_of(name))
    family = families.of(VARIANTS[name].model_type)
    for matrix in matrices(folder_of(name), family, lambda name, role: role in ("qkv", "feed-forward")):
        if matrix.array is None or f"{matrix.name}.q" not in parts:
            continue
        rows = [parts[f"{matrix.name}.{part}"].array for part in ("q", "k", "v")]
        together = np.concatenate([array for array in rows if array is not None])
        assert together.shape == matrix.array.shape
        assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, matrix.array.tolist()))
