import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.errors import AdapterError
from harness.types import Weighing, WeightRow
from harness.weights.analyse import DEFAULT_OPTIONS, AnalysisOptions, analyse
from harness.weights.cache import SpectrumCache

LLAMA = families.of("llama")
USUAL = Weighing()
Q, V, O = (f"model.layers.0.self_attn.{letter}_proj" for letter in "qvo")  # noqa: E741


def rows(
    folder: Path,
    adapter: Path | None = None,
    weighing: Weighing = USUAL,
    options: AnalysisOptions = DEFAULT_OPTIONS,
) -> dict[tuple[str, str], WeightRow]:
    name = "a" if adapter else None
    found = analyse(folder, LLAMA, adapter, model="m", adapter_name=name, weighing=weighing, options=options)
    return {(row.part, row.layer): row for row in found}


def factors(rng: np.random.Generator, r: int, out: int = 48, into: int = 40) -> tuple[np.ndarray, np.ndarray]:
    return rng.standard_normal((r, into)).astype(np.float32), rng.standard_normal((out, r)).astype(np.float32)


def test_every_matrix_of_a_base_has_a_row_and_vectors_have_none(base) -> None:
    folder, tensors = base
    found = rows(folder)
    assert {name: row.status for (_, name), row in found.items()} == {
        "model.embed_tokens": "not asked for",
        **dict.fromkeys((Q, V, O), "analysed"),
    }
    top = np.linalg.svd(tensors[f"{Q}.weight"], compute_uv=False)
    row = found["W", Q]
    assert (row.role, row.rows, row.cols, row.eigenvalues) == ("q", 48, 40, 40)
    assert row.numbers["lambda_max"] == pytest.approx(top[0] ** 2, rel=1e-5)
    assert row.numbers["norm"] == pytest.approx((top**2).sum(), rel=1e-5)
    assert row.numbers["alpha"] > 1


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"r": 4, "lora_alpha": 8}, 8 / 4),
        ({"r": 4, "lora_alpha": 8, "use_rslora": True}, 8 / 4**0.5),
        ({"r": 16, "lora_alpha": 8, "rank_pattern": {"q_proj": 4}}, 8 / 4),
        ({"r": 4, "lora_alpha": 8, "alpha_pattern": {r"layers\.0\.self_attn\.q_proj": 3}}, 3 / 4),
    ],
)
def test_lambda_max_of_merged_is_numpys_on_w_plus_scaled_b_a(base, write_adapter, rng, config, scale) -> None:
    folder, tensors = base
    A, B = factors(rng, 4)
    found = rows(folder, write_adapter({Q: (A, B)}, **config))
    assert set(found) == {("delta", Q), ("merged", Q)}
    W = tensors[f"{Q}.weight"].astype(np.float64)
    update = scale * (B.astype(np.float64) @ A.astype(np.float64))
    merged, delta = np.linalg.norm(W + update, 2) ** 2, np.linalg.norm(update, 2) ** 2
    assert found["merged", Q].numbers["lambda_max"] == pytest.approx(merged, rel=1e-5)
    assert found["delta", Q].numbers["lambda_max"] == pytest.approx(delta, rel=1e-5)
    ratio = np.linalg.norm(update) / np.linalg.norm(W)
    assert found["delta", Q].numbers["delta_ratio"] == pytest.approx(ratio, rel=1e-6)
    assert found["delta", Q].status == "too few eigenvalues"


def test_fan_in_fan_out_turns_the_update_round(base, write_adapter, rng) -> None:
    folder, tensors = base
    A, B = factors(rng, 4, out=40, into=48)  # the base keeps [in 48, out 40]
    found = rows(folder, write_adapter({Q: (A, B)}, r=4, lora_alpha=4, fan_in_fan_out=True))
    expected = (
        np.linalg.norm(tensors[f"{Q}.weight"].astype(np.float64) + (B.astype(np.float64) @ A).T, 2) ** 2
    )
    assert found["merged", Q].numbers["lambda_max"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("r", "reliable"), [(8, 0.0), (16, 0.0), (32, 1.0)])
def test_alpha_of_an_update_says_how_far_it_can_be_trusted(base, write_adapter, rng, r, reliable) -> None:
    folder, _ = base
    numbers = rows(folder, write_adapter({Q: factors(rng, r)}, r=r, lora_alpha=r))["delta", Q].numbers
    assert (numbers["reliable"], numbers["num_evals"]) == (reliable, r)
    assert numbers["alpha"] > 1
    assert numbers["sigma"] > 0


def test_alpha_of_an_update_does_not_depend_on_its_size(base, write_adapter, rng) -> None:
    folder, _ = base
    pair = factors(rng, 32)
    large = rows(folder, write_adapter({Q: pair}, r=32, lora_alpha=32))["delta", Q].numbers
    small = rows(folder, write_adapter({Q: pair}, r=32, lora_alpha=3.2e-5))["delta", Q].numbers
    assert small["alpha"] == pytest.approx(large["alpha"], rel=1e-9)
    assert small["xmin"] == pytest.approx(large["xmin"] * 1e-12, rel=1e-6)


def test_an_update_of_zeros_is_zero_and_its_sum_is_the_base(base, write_adapter, rng) -> None:
    folder, _ = base
    A, B = factors(rng, 4)
    found = rows(folder, write_adapter({Q: (A, 0 * B)}, r=4, lora_alpha=8))
    assert (found["delta", Q].status, found["delta", Q].numbers) == ("zero", {})
    shift = {"alpha_shift": 0.0, "lambda_max_shift": 0.0}
    assert found["merged", Q].numbers == {**rows(folder)["W", Q].numbers, **shift}


def test_an_update_of_a_tied_matrix_is_added_to_its_bytes(base, write_adapter, rng) -> None:
    folder, tensors = base
    k = Q.replace("q_proj", "k_proj")
    save_file({**tensors, f"{k}.weight": tensors[f"{Q}.weight"]}, folder / "model.safetensors")
    assert rows(folder)["W", Q].status == f"tied to {k}"
    A, B = factors(rng, 4)
    merged = rows(folder, write_adapter({Q: (A, B), k: (A, B)}, r=4, lora_alpha=4))["merged", Q]
    expected = np.linalg.norm(tensors[f"{Q}.weight"] + B @ A, 2) ** 2
    assert merged.numbers["lambda_max"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("W", "status"),
    [
        (np.full((24, 40), np.nan, np.float32), "not finite: 960 of 960 numbers are NaN or infinite"),
        (np.zeros((24, 40), np.float32), "zero"),
        (np.eye(40, dtype=np.float32), f"failed: no power law fits {V}"),
        (np.arange(1, 281, dtype=np.float32).reshape(7, 40), "too few eigenvalues"),
        (np.ones((2, 3, 4), np.float32), f"failed: {V} has 3 dimensions and is no matrix"),
        (
            np.ones((24, 40), np.int8),
            f"failed: {V} is stored as I8, whose numbers mean nothing without their scales",
        ),
    ],
)
def test_a_layer_without_a_spectrum_says_why_and_the_others_go_on(base, W, status) -> None:
    folder, tensors = base
    save_file({**tensors, f"{V}.weight": W}, folder / "model.safetensors")
    found = rows(folder)
    assert found["W", V].status == status
    assert "alpha" not in found["W", V].numbers
    assert ("lambda_max" in found["W", V].numbers) == (status.startswith(("too few", "failed: no power law")))
    assert found["W", Q].status == "analysed"
    json.dumps([dict(row.numbers) for row in found.values()], allow_nan=False)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (np.inf, "not finite: 160 of 352 numbers are NaN or infinite"),
        (1e37, "not finite: the update is larger than float32 can be"),
    ],
    ids=["infinite", "overflowing"],
)
def test_a_torn_update_fails_its_layer_alone(base, write_adapter, rng, times, said) -> None:
    folder, _ = base
    A, B = factors(rng, 4)
    A, B = (A * times).astype(np.float32), (B * 1e3).astype(np.float32)
    found = rows(folder, write_adapter({Q: (A, B), O: factors(rng, 4, 40, 48)}, r=4, lora_alpha=8))
    assert found["merged", Q].status == found["delta", Q].status == said
    assert found["merged", O].status == "analysed"


@pytest.mark.parametrize("module", [Q.removeprefix("model."), f"language_model.{Q}"])
def test_prefixes_may_differ_where_one_end_matches(
    base, write_adapter: Callable[..., Path], rng, module
) -> None:
    found = rows(base[0], write_adapter({module: factors(rng, 4)}, r=4, lora_alpha=8))
    assert ("merged", Q) in found


def test_an_adapter_for_another_base_is_refused_and_named(base, write_adapter, rng) -> None:
    folder, _ = base
    with pytest.raises(AdapterError, match=r"layers\.7\.self_attn\.q_proj \(no such matrix\)"):
        rows(folder, write_adapter({"model.layers.7.self_attn.q_proj": factors(rng, 4)}, r=4))
    with pytest.raises(AdapterError, match=r"q_proj is \[9, 9\], the base's matrix \[48, 40\]"):
        rows(folder, write_adapter({Q: factors(rng, 4, 9, 9)}, r=4))


def test_a_matrix_saved_whole_beside_the_factors_is_the_merged_one(base, write_adapter, rng) -> None:
    folder, tensors = base
    A, B = factors(rng, 4)
    adapter = write_adapter({Q: (A, B)}, r=4, lora_alpha=8)
    prefix, saved = (
        "base_model.model.",
        tensors[f"{O}.weight"] + rng.standard_normal((40, 48)).astype(np.float32),
    )
    save_file(
        {
            f"{prefix}{Q}.lora_A.weight": A,
            f"{prefix}{Q}.lora_B.weight": B,
            f"{prefix}{O}.weight": saved,
            f"{prefix}score.weight": rng.standard_normal((3, 40)).astype(np.float32),
            f"{prefix}model.embed_tokens.token_adapter.trainable_tokens_delta": A,
        },
        adapter / "adapter_model.safetensors",
    )
    found = rows(folder, adapter)
    top = np.linalg.norm(saved.astype(np.float64), 2) ** 2
    assert found["merged", O].numbers["lambda_max"] == pytest.approx(top, rel=1e-5)
    moved = np.linalg.norm(saved.astype(np.float64) - tensors[f"{O}.weight"], 2) ** 2
    assert found["delta", O].numbers["lambda_max"] == pytest.approx(moved, rel=1e-5)
    assert found["merged", "score"].status == "not asked for"
    tokens = found["delta", "model.embed_tokens.token_adapter.trainable_tokens_delta"]
    assert tokens.status.endswith("is neither a low-rank update nor a whole matrix")


def test_an_update_without_a_power_law_still_has_a_sum(base, write_adapter) -> None:
    eye = np.eye(40, dtype=np.float32)[:16]  # sixteen equal singular values
    found = rows(
        base[0], write_adapter({Q: (eye, np.eye(48, dtype=np.float32)[:, :16])}, r=16, lora_alpha=16)
    )
    assert found["delta", Q].status == f"failed: no power law fits the update of {Q}"
    assert found["delta", Q].numbers["stable_rank"] == pytest.approx(16)
    assert found["merged", Q].status == "analysed"


@pytest.mark.slow
def test_a_matrix_too_large_for_the_oracle_fails_alone(tmp_path: Path) -> None:
    big = np.ones((300_001, 8), np.float32)
    save_file(
        {f"{V}.weight": big, f"{Q}.weight": np.diag(np.arange(1.0, 33.0))}, tmp_path / "model.safetensors"
    )
    found = rows(tmp_path, weighing=Weighing(oracle=True))
    assert found["W", V].status == f"failed: {V}: weightwatcher left out a matrix of shape [300001, 8]"
    assert found["W", Q].status == "analysed"


def numbers(found: dict[tuple[str, str], WeightRow]) -> dict[tuple[str, str], dict[str, float]]:
    return {place: dict(row.numbers) for place, row in found.items()}


def test_the_oracle_and_the_own_path_agree_on_every_row(base, write_adapter, rng) -> None:
    folder, _ = base
    adapter = write_adapter({Q: factors(rng, 16), V: factors(rng, 16, 24)}, r=16, lora_alpha=8)
    for where in (None, adapter):
        mine, theirs = rows(folder, where), rows(folder, where, Weighing(oracle=True))
        for place, row in theirs.items():
            assert row.status == mine[place].status
            for number, value in row.numbers.items():
                # The package is given the sum, and gets it in float64.
                assert mine[place].numbers[number] == pytest.approx(value, rel=1e-9, abs=1e-9), (
                    place,
                    number,
                )


def test_what_is_kept_is_found_again_and_an_adapter_shares_its_bases(
    base, write_adapter, rng, tmp_path
) -> None:
    folder, tensors = base
    options = AnalysisOptions(cache=SpectrumCache(tmp_path / "kept"))

    def files() -> set[Path]:
        return set((tmp_path / "kept").rglob("*.json"))

    def forget(digests: set[Path]) -> None:
        """As if the system's memory of files were lost: bytes are read and found to be known."""
        for path in digests:
            path.unlink()

    first = rows(folder, options=options)
    of_base = files()
    assert len(of_base) == 4  # of three matrices, and that the embedding is finite
    assert rows(folder, options=options) == first == rows(folder)
    forget(set((tmp_path / "kept").rglob("*.digest")))
    assert rows(folder, options=options) == first
    assert files() == of_base
    adapter = write_adapter({Q: factors(rng, 4)}, r=4, lora_alpha=4)
    assert rows(folder, adapter, options=options) == rows(folder, adapter)
    assert len(files() - of_base) == 1  # W + ΔW alone
    for path in of_base:
        path.write_text("{")  # torn
    assert rows(folder, options=options) == first
    save_file({**tensors, f"{Q}.weight": 2 * tensors[f"{Q}.weight"]}, folder / "model.safetensors")
    assert numbers(rows(folder, options=options)) == numbers(rows(folder))


def test_threads_find_the_same_in_the_same_order(base, write_adapter, rng) -> None:
    folder, _ = base
    adapter = write_adapter({Q: factors(rng, 4), O: factors(rng, 4, 40, 48)}, r=4, lora_alpha=4)
    for where in (None, adapter):
        one, two = rows(folder, where), rows(folder, where, options=AnalysisOptions(threads=2))
        assert list(one) == list(two)
        for place, row in one.items():
            assert dict(two[place].numbers) == pytest.approx(dict(row.numbers), rel=1e-9, abs=1e-12)


def test_a_strong_update_brings_intruders_and_a_weak_one_does_not(base, write_adapter, rng) -> None:
    """Against every cosine, of vectors by numpy."""
    folder, tensors = base
    A, B = factors(rng, 4)
    W = tensors[f"{Q}.weight"].astype(np.float64)
    for alpha, some in ((400, True), (1e-3, False)):
        row = rows(folder, write_adapter({Q: (A, B)}, r=4, lora_alpha=alpha))["merged", Q]
        left = np.linalg.svd(W, full_matrices=False)[0]
        new = np.linalg.svd(W + alpha / 4 * B.astype(np.float64) @ A, full_matrices=False)[0][:, :10]
        cosines = np.abs(left.T @ new).max(axis=0)
        assert row.numbers["intruder_dimensions"] == (cosines < 0.6).sum()
        assert row.numbers["intruder_cosine"] == pytest.approx(cosines.min(), rel=1e-6)
        assert (row.numbers["intruder_dimensions"] > 0) == some
        assert (row.numbers["leading_directions"], row.numbers["degenerate_directions"]) == (10, 0)
        update = np.linalg.svd(B.astype(np.float64) @ A, full_matrices=False)[0][:, :4]
        overlap = np.linalg.norm(left[:, :4].T @ update) ** 2 / 4
        assert row.numbers["overlap"] == pytest.approx(overlap, rel=1e-6)
    none = Weighing(intruders_up_to=16)
    assert (
        "intruder_dimensions"
        not in rows(folder, write_adapter({Q: (A, B)}, r=4, lora_alpha=4), none)["merged", Q].numbers
    )


def test_directions_of_equal_singular_values_are_marked(write_adapter, rng, tmp_path) -> None:
    folder = tmp_path / "flat"
    folder.mkdir()
    save_file({f"{Q}.weight": np.eye(48, 40, dtype=np.float32)}, folder / "model.safetensors")
    A, B = np.eye(4, 40), np.eye(48, 4)
    row = rows(folder, write_adapter({Q: (A, B)}, r=4, lora_alpha=4))["merged", Q]
    assert row.numbers["degenerate_directions"] == 10


@pytest.mark.parametrize("r", [1, 2, 3, 4])
def test_an_update_of_low_rank_has_its_norms(base, write_adapter, rng, r) -> None:
    """The package's table is empty there."""
    folder, _ = base
    row = rows(folder, write_adapter({Q: factors(rng, r)}, r=r, lora_alpha=r))["delta", Q]
    assert row.status == "too few eigenvalues"
    assert {"norm", "stable_rank", "delta_ratio", "effective_rank"} <= set(row.numbers)
