"""Where an adapter's factors and whole matrices belong in a base."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.checkpoints import adapter
from harness.errors import AdapterError
from harness.weights.read import locations
from harness.weights.updates import Update, updates

EMBED, HEAD = "model.embed_tokens", "lm_head"
PREFIX = "base_model.model."


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def base(folder: Path, *names: str, shape: tuple[int, int] = (20, 6)) -> dict[str, np.ndarray]:
    tensors = {f"{name}.weight": random(*shape) + nth for nth, name in enumerate(names)}
    save_file(tensors, folder / "model.safetensors")
    return tensors


def changed(
    folder: Path,
    tensors: dict[str, np.ndarray],
    family: str = "llama",
    *,
    split: bool = False,
    **config: object,
) -> tuple[Update, ...]:
    save_file({PREFIX + name: one for name, one in tensors.items()}, folder / "adapter_model.safetensors")
    said = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, **config}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    kind = families.of(family)
    found = locations(folder, kind, split=split)
    return updates(adapter.read(folder), found, kind, adapter=folder, base=folder)


def linear(name: str, out: int = 20, into: int = 6) -> dict[str, np.ndarray]:
    return {f"{name}.lora_A.weight": random(2, into), f"{name}.lora_B.weight": random(out, 2)}


def embedding(name: str, tokens: int = 20, width: int = 6) -> dict[str, np.ndarray]:
    return {f"{name}.lora_embedding_A": random(2, tokens), f"{name}.lora_embedding_B": random(width, 2)}


@pytest.mark.parametrize(
    ("stored", "tensors", "name", "role"),
    [
        (EMBED, linear(HEAD), HEAD, "head"),
        (HEAD, embedding(EMBED), EMBED, "embedding"),
        ("embed_tokens", embedding(EMBED), "embed_tokens", "embedding"),
    ],
)
def test_a_tied_matrix_is_found_under_its_other_name(tmp_path, stored, tensors, name, role) -> None:
    held = base(tmp_path, stored)
    (update,) = changed(tmp_path, tensors)
    assert (update.name, update.role, update.location.name) == (name, role, stored)
    A, B = tensors.values()
    delta = 2 * (B @ A if role == "head" else (B @ A).T)
    expected = held[f"{stored}.weight"] + delta
    assert update.factors.merged(update.location.read().array) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_both_names_of_a_tied_matrix_may_have_factors(tmp_path) -> None:
    base(tmp_path, EMBED)
    found = changed(tmp_path, {**embedding(EMBED), **linear(HEAD)})
    assert {update.name for update in found} == {EMBED, HEAD}
    assert {update.location.name for update in found} == {EMBED}


def test_of_two_matrices_that_fit_the_one_with_the_same_role_is_meant(tmp_path) -> None:
    base(tmp_path, "shared", "lm_head")
    (update,) = changed(tmp_path, embedding("encoder.embed_tokens"), "t5")
    assert (update.name, update.location.name) == ("encoder.embed_tokens", "shared")


def test_a_whole_matrix_stands_in_the_bases_place_and_a_new_one_in_none(tmp_path) -> None:
    q = "model.layers.0.self_attn.q_proj"
    base(tmp_path, EMBED, q)
    resized, score = random(22, 6), random(3, 6)
    saved = {"score.weight": score, f"{EMBED}.modules_to_save.weight": resized}
    found = changed(tmp_path, {**linear(q), **saved})
    assert [update.name for update in found] == [EMBED, q, "score"]
    first, second, third = found
    assert np.array_equal(first.saved.read().array, resized)
    assert (first.location.shape, first.saved.shape, first.factors) == ((20, 6), (22, 6), None)
    assert second.saved is None
    assert third.location is None
    assert np.array_equal(third.saved.read().array, score)


def test_a_saved_matrix_is_turned_as_the_bases_is(tmp_path) -> None:
    fc, attn = "transformer.h.0.mlp.c_fc", "transformer.h.0.attn.c_attn"
    base(tmp_path, fc, attn, shape=(4, 6))
    saved = random(4, 6)
    found = changed(tmp_path, {f"{fc}.weight": saved, **linear(attn, 6, 4)}, "gpt2", fan_in_fan_out=True)
    by_name = {update.name: update for update in found}
    assert np.array_equal(by_name[fc].saved.read().array, saved.T)
    assert by_name[fc].location.shape == (6, 4)
    assert by_name[attn].factors.shape == (6, 4) == by_name[attn].location.shape


def test_an_update_of_a_fused_matrix_splits_with_it(tmp_path) -> None:
    fused = "h.0.self_attention.query_key_value"
    held = base(tmp_path, fused, shape=(12, 6))[f"{fused}.weight"]
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4, "multi_query": true}')
    tensors = linear(f"transformer.{fused}", 12)
    (whole,) = changed(tmp_path, tensors, "falcon")
    parts = changed(tmp_path, tensors, "falcon", split=True)
    assert [(part.name, part.role) for part in parts] == [(f"{fused}.{role}", role) for role in "qkv"]
    merged = [part.factors.merged(part.location.read().array) for part in parts]
    assert np.concatenate(merged) == pytest.approx(whole.factors.merged(held), rel=1e-12)


def test_a_fused_matrix_that_was_saved_is_whole_though_its_base_is_split(tmp_path) -> None:
    fused, o = "h.0.self_attention.query_key_value", "h.0.self_attention.dense"
    base(tmp_path, fused, o, shape=(12, 6))
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4, "multi_query": true}')
    found = changed(tmp_path, {f"{fused}.weight": random(12, 6), **linear(o, 12)}, "falcon", split=True)
    update = next(one for one in found if one.saved)
    assert (update.name, update.role, update.location.name) == (fused, "qkv", fused)
    assert update.location.read().shape == update.saved.read().shape == (12, 6)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (linear("layers.9.q_proj"), r"layers\.9\.q_proj \(no such matrix\)"),
        (linear(HEAD, 21), r"lm_head \(no such matrix\)"),  # tied, but of another vocabulary
        (linear("q_proj"), r"q_proj \(could be a\.q_proj or b\.q_proj\)"),
        (linear("a.q_proj", 9, 9), r"the update of a\.q_proj is \[9, 9\], the base's matrix \[20, 6\]"),
        ({**linear("x.a.q_proj"), **linear("a.q_proj")}, r"x\.a\.q_proj \(could be a\.q_proj\)"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused_and_says_where(tmp_path, tensors, said) -> None:
    base(tmp_path, EMBED, "a.q_proj", "b.q_proj")
    with pytest.raises(AdapterError, match=said) as told:
        changed(tmp_path, tensors)
    assert "\n" not in str(told.value)
