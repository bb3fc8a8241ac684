import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.checkpoints.adapter import Factors, read
from harness.errors import AdapterError

MODULE = "model.layers.0.self_attn.q_proj"
A, B = np.ones((4, 6), np.float32), np.full((5, 4), 2, np.float32)
DORA = {f"{MODULE}.lora_A.weight": A, f"{MODULE}.lora_B.weight": B}


def write(folder: Path, tensors: dict[str, np.ndarray] | None = None, **config: Any) -> Path:
    if tensors is None:
        tensors = {
            f"base_model.model.{MODULE}.lora_A.weight": A,
            f"base_model.model.{MODULE}.lora_B.weight": B,
        }
    save_file(tensors, folder / "adapter_model.safetensors")
    said = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "zoo:x", **config}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, 2.0),
        ({"use_rslora": True}, 4.0),
        ({"lora_alpha": 1}, 0.25),
        ({"r": 16, "rank_pattern": {"q_proj": 4}}, 2.0),
        ({"alpha_pattern": {"^model.layers.0.self_attn.q_proj": 16}}, 4.0),
        ({"alpha_pattern": {"proj": 16}}, 2.0),  # peft matches whole parts of the path
        ({"alpha_pattern": {r"layers\.\d\.self_attn\.q_proj": 16}}, 4.0),
    ],
)
def test_the_scale_is_pefts(tmp_path: Path, config: dict[str, Any], scale: float) -> None:
    weights = read(write(tmp_path, **config))
    assert weights.base == "zoo:x"
    factors = weights.modules[MODULE]
    assert factors.scale == scale
    assert np.array_equal(factors.delta(), scale * np.full((5, 6), 8.0))


def test_embeddings_and_old_names_are_read_and_the_rest_is_named(tmp_path: Path) -> None:
    tensors = {
        "base_model.model.model.embed_tokens.lora_embedding_A": A,
        "base_model.model.model.embed_tokens.lora_embedding_B": B,
        f"base_model.model.{MODULE}.lora_A.default.weight": A,
        f"base_model.model.{MODULE}.lora_B.default.weight": B,
        f"base_model.model.{MODULE}.lora_B.bias": np.ones(5, np.float32),
        f"base_model.model.{MODULE}.bias": np.ones(5, np.float32),
        "base_model.model.model.embed_tokens.base_layer.weight": np.ones((6, 5), np.float32),
        "base_model.model.lm_head.weight": np.full((9, 6), 3, np.float32),
    }
    weights = read(write(tmp_path, tensors))
    assert {module: factors.shape for module, factors in weights.modules.items()} == {
        "model.embed_tokens": (6, 5),
        MODULE: (5, 6),
    }
    assert weights.others == {f"{MODULE}.lora_B.bias": (5,), f"{MODULE}.bias": (5,)}
    assert {module: tensor.shape for module, tensor in weights.saved.items()} == {"lm_head": (9, 6)}
    assert np.array_equal(weights.saved["lm_head"].read(), np.full((9, 6), 3))


@pytest.mark.parametrize(
    ("tensors", "config", "said"),
    [
        (None, {"peft_type": "IA3"}, "peft_type is 'IA3'; only LORA"),
        (None, {"use_dora": True}, r"q_proj has no lora_magnitude_vector, .* says use_dora: true"),
        (
            {**DORA, f"{MODULE}.lora_magnitude_vector": np.ones(4, np.float32)},
            {"use_dora": True},
            "lora_magnitude_vector has 4 numbers for 5 outputs",
        ),
        (
            {**DORA, f"{MODULE}.lora_magnitude_vector": np.ones((1, 5, 1), np.float32)},
            {"use_dora": True},
            r"has shape \[1, 5, 1\]",
        ),
        (
            {**DORA, f"{MODULE}.lora_magnitude_vector": np.ones(5, np.float32)},
            {},
            r"q_proj has a lora_magnitude_vector, .* says use_dora: false",
        ),
        (None, {"use_qalora": True}, "use_qalora is set"),
        (None, {"layer_replication": [[0, 2]]}, "layer_replication is set"),
        (
            None,
            {"init_lora_weights": "pissa_niter_4"},
            "init_lora_weights is 'pissa_niter_4', which changes the base",
        ),
        (None, {"r": 8}, "lora_A has rank 4, adapter_config.json says r: 8"),
        ({"x.lora_A.weight": A}, {}, "x has lora_A alone"),
        (
            {"x.lora_A.weight": A, "x.lora_B.weight": B.T.copy()},
            {},
            r"lora_A \[4, 6\] and lora_B \[4, 5\] do not multiply",
        ),
        ({"x.lora_A.weight": A[None]}, {}, r"has shape \[1, 4, 6\]"),
        ({"x.weight": A}, {}, "no lora_A or lora_B"),
    ],
)
def test_what_is_not_plain_lora_is_refused_with_a_sentence(
    tmp_path: Path, tensors: Any, config: Any, said: str
) -> None:
    with pytest.raises(AdapterError, match=said):
        read(write(tmp_path, tensors, **config))


def test_a_pickled_or_missing_adapter_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"adapter_config\.json: .*PEFT's layout"):
        read(tmp_path)
    (write(tmp_path) / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterError, match=r"no adapter_model\.safetensors; the adapter is not complete"):
        read(tmp_path)
    (tmp_path / "adapter_model.bin").touch()
    with pytest.raises(AdapterError, match="harness convert"):
        read(tmp_path)


def made(rng: np.random.Generator, *, transposed: bool = False, magnitude: bool = False) -> Factors:
    return Factors(
        A=rng.standard_normal((3, 7)).astype(np.float32),
        B=rng.standard_normal((5, 3)).astype(np.float32),
        scale=0.5,
        transposed=transposed,
        magnitude=rng.uniform(1, 2, 5).astype(np.float32) if magnitude else None,
    )


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("magnitude", [False, True])
def test_the_sum_is_the_same_some_outputs_at_a_time(transposed: bool, magnitude: bool) -> None:
    rng = np.random.default_rng(0)
    factors = made(rng, transposed=transposed, magnitude=magnitude)
    W = rng.standard_normal(factors.shape).astype(np.float32)
    before = W.copy()
    whole = factors.merged(W)
    assert (whole.dtype, whole.shape) == (np.dtype(np.float64), W.shape)
    expected = W + factors.delta()
    if factors.magnitude is not None:
        axis = 0 if transposed else 1  # over the inputs
        norms = np.linalg.norm(expected, axis=axis, keepdims=True)
        expected *= np.expand_dims(factors.magnitude, axis) / norms
        assert np.linalg.norm(whole, axis=axis) == pytest.approx(factors.magnitude, rel=1e-12)
    assert whole == pytest.approx(expected, rel=1e-12)
    pieces = [factors.merged(W, slice(at, at + 2)) for at in range(0, 5, 2)]
    assert np.concatenate(pieces, axis=1 if transposed else 0) == pytest.approx(whole, rel=1e-12)
    assert np.array_equal(W, before)


def test_factors_of_zeros_change_nothing_at_all() -> None:
    rng = np.random.default_rng(0)
    factors = replace(made(rng), B=np.zeros((5, 3), np.float32))
    W = rng.standard_normal((5, 7)).astype(np.float32)
    assert np.array_equal(factors.merged(W), W)
    assert not factors.delta().any()


def test_a_part_of_an_update_is_those_rows_of_it() -> None:
    rng = np.random.default_rng(0)
    factors, W = made(rng, magnitude=True), rng.standard_normal((5, 7))
    part = factors.of_rows((slice(0, 1), slice(3, 5)))
    assert part.shape == (3, 7)
    rows = [0, 3, 4]
    assert part.merged(W[rows]) == pytest.approx(factors.merged(W)[rows], rel=1e-12)


def test_a_magnitude_that_is_no_number_makes_factors_not_finite() -> None:
    factors = made(np.random.default_rng(0), magnitude=True)
    assert factors.finite
    assert not replace(factors, magnitude=np.full(5, np.inf, np.float32)).finite


def test_factors_whose_product_is_no_float32_are_not_finite() -> None:
    """Each is finite by itself."""
    factors = made(np.random.default_rng(0))
    huge = replace(factors, A=factors.A * np.float32(1e20), B=factors.B * np.float32(1e20))
    assert np.isfinite(huge.A).all()
    assert not huge.finite
    assert replace(huge, B=np.zeros((5, 3), np.float32)).finite
