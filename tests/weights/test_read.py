import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.errors import ModelError
from harness.weights.read import Matrix, locations, matrices

LLAMA = families.of("llama")


def read(folder: Path) -> list[Matrix]:
    return list(matrices(folder, LLAMA, lambda name, role: True))


def test_layer_ten_comes_after_layer_two(tmp_path, rng) -> None:
    names = [f"model.layers.{nth}.mlp.up_proj" for nth in (0, 1, 2, 10, 11)]
    save_file(
        {f"{name}.weight": rng.standard_normal((3, 2)).astype(np.float32) for name in reversed(names)},
        tmp_path / "model.safetensors",
    )
    assert [matrix.name for matrix in read(tmp_path)] == names


def test_shards_are_read_as_one(tmp_path, rng) -> None:
    a, b = (rng.standard_normal((3, 2)).astype(np.float32) for _ in "ab")
    save_file({"a.weight": a}, tmp_path / "one.safetensors")
    save_file({"b.weight": b}, tmp_path / "two.safetensors")
    index = {"weight_map": {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    first, second = read(tmp_path)
    assert np.array_equal(first.array, a)
    assert np.array_equal(second.array, b)
    (tmp_path / "two.safetensors").unlink()
    with pytest.raises(ModelError, match=r"two\.safetensors is missing, which model"):
        read(tmp_path)


def test_equal_bytes_are_tied_but_zeros_are_not(tmp_path) -> None:
    W = np.arange(6, dtype=np.float32).reshape(3, 2)
    tensors = {
        "a.weight": W,
        "b.weight": W,
        "c.weight": W.reshape(2, 3),
        "y.weight": 0 * W,
        "z.weight": 0 * W,
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert [matrix.status for matrix in read(tmp_path)] == ["read", "tied to a", "read", "read", "read"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"found no model\.safetensors"),
        ({"pytorch_model.bin": b""}, r"a pickle, .* run `harness convert"),
        ({"model.safetensors": b"\x05\0\0\0\0\0\0\0{"}, "its header is torn"),
        ({"model.safetensors": b"\xff" * 9}, "its header is torn"),
        ({"model.safetensors.index.json": b"{"}, "broken: not JSON"),
    ],
)
def test_a_broken_checkpoint_is_told_in_a_line(tmp_path, files, said) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=said) as told:
        read(tmp_path)
    assert "\n" not in str(told.value)


def test_equal_bytes_have_equal_digests_and_other_types_or_shapes_have_not(tmp_path, rng) -> None:
    W = rng.standard_normal((3, 4)).astype(np.float16)
    tensors = {"a.weight": W, "b.weight": W, "c.weight": W.reshape(4, 3), "d.weight": W.view(np.int16)}
    save_file(tensors, tmp_path / "model.safetensors")
    a, b, c, d = read(tmp_path)
    assert a.digest == b.digest != c.digest
    assert len(a.digest or b"") == 32
    assert (d.digest, d.array) == (None, None)
    (skipped, *_) = matrices(tmp_path, LLAMA, lambda name, role: False)
    assert (skipped.status, skipped.digest) == ("not asked for", None)


def test_float64_stays_float64_and_the_rest_is_float32(tmp_path, rng) -> None:
    W = rng.standard_normal((3, 4))
    save_file({"a.weight": W, "b.weight": W.astype(np.float16)}, tmp_path / "model.safetensors")
    a, b = read(tmp_path)
    assert np.array_equal(a.array, W)
    assert (a.array.dtype, b.array.dtype) == (np.dtype(np.float64), np.dtype(np.float32))


def test_a_family_that_stores_the_input_first_is_turned_in_its_linear_maps_alone(tmp_path, rng) -> None:
    tensors = {
        "transformer.h.0.attn.c_attn.weight": rng.standard_normal((4, 12)).astype(np.float32),
        "transformer.h.0.mlp.c_proj.weight": rng.standard_normal((16, 4)).astype(np.float32),
        "transformer.wpe.weight": rng.standard_normal((9, 4)).astype(np.float32),
        "transformer.wte.weight": rng.standard_normal((20, 4)).astype(np.float32),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    found = list(matrices(tmp_path, families.of("gpt2"), lambda name, role: True))
    assert [(matrix.role, matrix.shape) for matrix in found] == [
        ("qkv", (12, 4)),
        ("feed-forward", (4, 16)),
        ("other", (9, 4)),
        ("embedding", (20, 4)),
    ]
    for matrix, stored in zip(found, tensors.values(), strict=True):
        assert matrix.array.shape == matrix.shape
        assert np.array_equal(matrix.array, stored if matrix.shape == stored.shape else stored.T)


# Rows of q, k and v in a fused matrix of width 2: heads as the model's own code takes them apart.
FALCON, PHI, GPT2 = ("h.0.self_attention.query_key_value", "layers.0.self_attn.qkv_proj", "h.0.attn.c_attn")
SPLITS = [
    (
        "falcon",
        FALCON,
        {"num_attention_heads": 4, "multi_query": True, "num_kv_heads": 4},
        12,
        "0-7 8-9 10-11",
    ),
    (
        "falcon",
        FALCON,
        {"num_attention_heads": 4, "num_kv_heads": 2, "multi_query": True, "new_decoder_architecture": True},
        16,
        "0-3,8-11 4-5,12-13 6-7,14-15",
    ),
    (
        "falcon",
        FALCON,
        {"num_attention_heads": 2, "multi_query": False},
        12,
        "0-1,6-7 2-3,8-9 4-5,10-11",
    ),
    ("phi3", PHI, {"num_attention_heads": 4, "num_key_value_heads": 2}, 16, "0-7 8-11 12-15"),
    ("gpt2", GPT2, {"n_head": 2}, 12, "0-3 4-7 8-11"),
]


@pytest.mark.parametrize(("model_type", "name", "config", "rows", "expected"), SPLITS)
def test_a_fused_matrix_splits_into_its_parts(
    tmp_path, rng, model_type, name, config, rows, expected
) -> None:
    family = families.of(model_type)
    W = rng.standard_normal((rows, 6)).astype(np.float32)
    stored = np.ascontiguousarray(W.T) if family.fan_in_fan_out else W
    save_file({f"{name}.weight": stored}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    parts = list(matrices(tmp_path, family, lambda name, role: True, split=True))
    assert [(part.name, part.role) for part in parts] == [(f"{name}.{role}", role) for role in "qkv"]
    for part, ranges in zip(parts, expected.split(), strict=True):
        ends = [map(int, some.split("-")) for some in ranges.split(",")]
        taken = np.concatenate([W[first : last + 1] for first, last in ends])
        assert np.array_equal(part.array, taken)
        assert part.shape == taken.shape
    assert len({part.digest for part in parts}) == 3
    (whole,) = matrices(tmp_path, family, lambda name, role: True)
    assert (whole.name, whole.role, whole.status) == (name, "qkv", "read")
    assert np.array_equal(whole.array, W)


def test_a_matrix_that_the_heads_do_not_fill_cannot_be_split_and_says_so(tmp_path) -> None:
    save_file({f"{FALCON}.weight": np.ones((13, 6), np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4, "multi_query": true}')
    (found,) = matrices(tmp_path, families.of("falcon"), lambda name, role: True, split=True)
    assert found.status == (
        f"failed: {FALCON} cannot be split: 13 rows are not those of 4 query and twice 1 key-value heads of one width"
    )
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json: not readable; it says how a fused matrix splits"):
        list(matrices(tmp_path, families.of("falcon"), lambda name, role: True, split=True))


def test_a_place_goes_to_another_process_and_is_read_there(tmp_path, rng) -> None:
    W = rng.standard_normal((12, 6)).astype(np.float32)
    save_file(
        {f"{FALCON}.weight": W, "lm_head.weight": W, "norm.weight": W[0]}, tmp_path / "model.safetensors"
    )
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4, "multi_query": true}')
    found = locations(tmp_path, families.of("falcon"), split=True)
    sent = pickle.dumps(found)
    assert len(sent) < W.nbytes * 10
    there = [place.read() for place in pickle.loads(sent)]
    here = list(matrices(tmp_path, families.of("falcon"), lambda name, role: True, split=True))
    assert [(one.name, one.role, one.shape, one.digest) for one in there] == [
        (one.name, one.role, one.shape, one.digest) for one in here
    ]
    for one, other in zip(there, here, strict=True):
        assert np.array_equal(one.array, other.array)


def test_ties_are_of_equal_bytes_and_not_of_equal_ends(tmp_path, rng) -> None:
    W = rng.standard_normal((30, 40)).astype(np.float32)
    middle = W.copy()
    middle[15, 20] += 1  # the same at both ends
    tensors = {"a": W, "b": middle, "c": W, "d": W[::-1].copy(), "y": 0 * W, "z": 0 * W}
    save_file({f"{name}.weight": one for name, one in tensors.items()}, tmp_path / "model.safetensors")
    assert [one.status for one in read(tmp_path)] == ["read", "read", "tied to a", *["read"] * 3]


@pytest.mark.parametrize(
    ("W", "said"),
    [
        (np.ones((2, 3, 4), np.float32), "failed: a has 3 dimensions and is no matrix"),
        (
            np.ones((2, 3), np.int32),
            "failed: a is stored as I32, whose numbers mean nothing without their scales",
        ),
        (
            np.ones((2, 3), np.uint8),
            "failed: a is stored as U8, whose numbers mean nothing without their scales",
        ),
    ],
)
def test_what_cannot_be_read_fails_alone(tmp_path, W, said) -> None:
    save_file({"a.weight": W, "b.weight": np.ones((2, 3), np.float32)}, tmp_path / "model.safetensors")
    a, b = read(tmp_path)
    assert (a.status, a.array, b.status) == (said, None, "read")


def test_a_file_that_is_cut_is_refused_before_and_fails_its_matrix_after_it_was_opened(tmp_path, rng) -> None:
    path = tmp_path / "model.safetensors"
    save_file({f"{name}.weight": rng.standard_normal((50, 40)).astype(np.float32) for name in "ab"}, path)
    (first, second), data = locations(tmp_path, LLAMA), path.read_bytes()
    path.write_bytes(data[:-5000])
    with pytest.raises(ModelError, match=r"model\.safetensors: torn: .* bytes of .*; fetch or save it again"):
        read(tmp_path)
    assert first.read().status == "read"
    assert second.read().status == f"failed: b: {path}: torn within b.weight; fetch or save it again"
    path.unlink()
    assert "No such file" in second.read().status


def test_an_index_that_names_what_a_shard_lacks_is_refused(tmp_path) -> None:
    save_file({"a.weight": np.ones((2, 3), np.float32)}, tmp_path / "one.safetensors")
    index = {"weight_map": {"a.weight": "one.safetensors", "b.weight": "one.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(
        ModelError, match=r"b\.weight should be in one\.safetensors and is not; fetch both again"
    ):
        read(tmp_path)
