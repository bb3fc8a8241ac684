"""Weights that are NaN or infinite are found wherever they lie and however they are stored, and no mean holds them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from harness import families
from harness.report import weight_tables
from harness.report.weighed import section
from harness.types import Weighing, WeightRow
from harness.weights.analyse import AnalysisOptions, analyse
from harness.weights.cache import SpectrumCache
from harness.weights.read import NOT_ASKED

from .conftest import Q, V
from .test_quantised import four_bit, state


def rows(
    folder: Path, adapter: Path | None = None, kept: Path | None = None, **asked: Any
) -> dict[str, WeightRow]:
    found = analyse(
        folder,
        families.of("llama"),
        adapter,
        model="m",
        adapter_name=None if adapter is None else "x",
        weighing=Weighing(**asked),
        options=AnalysisOptions(cache=SpectrumCache(kept)),
    )
    return {f"{row.part} {row.layer}" if adapter else row.layer: row for row in found}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize(
    "name",
    [f"{Q}.weight", "model.embed_tokens.weight", "model.norm.weight"],
    ids=["asked", "unasked", "vector"],
)
def test_a_number_that_is_not_finite_is_found_in_every_type_and_place(base, number, dtype, name) -> None:
    folder, tensors = base
    stored = {key: torch.from_numpy(value).to(dtype) for key, value in tensors.items()}
    save_torch(stored, folder / "model.safetensors")
    assert {row.status for row in rows(folder).values()} == {"analysed", NOT_ASKED}
    stored[name].view(-1)[3] = number
    save_torch(stored, folder / "model.safetensors")
    found = rows(folder)
    row = found[name.removesuffix(".weight")]
    assert row.status == f"not finite: 1 of {stored[name].numel():,} numbers are NaN or infinite"
    assert not row.numbers
    assert sum(one.status.startswith("not finite") for one in found.values()) == 1


def test_a_float16_that_overflowed_is_told(base) -> None:
    folder, tensors = base
    with np.errstate(over="ignore"):
        wide = {name: (tensor * np.float32(30_000)).astype(np.float16) for name, tensor in tensors.items()}
    save_file(wide, folder / "model.safetensors")
    assert rows(folder)[Q].status.startswith("not finite: ")


@pytest.mark.parametrize("roles", [("q",), ("v",)], ids=["asked", "unasked"])
@pytest.mark.parametrize("scheme", ["int8", "nf4"])
def test_a_quantised_matrix_is_what_its_scales_make_of_it(tmp_path, rng, scheme, roles) -> None:
    codes, scales = rng.integers(0, 16, (64, 64)), np.ones(256 if scheme == "nf4" else 64, np.float32)
    scales[5] = np.nan
    if scheme == "nf4":
        settings = {"quant_state.bitsandbytes__nf4": state((64, 64), 16)}
        save_file(four_bit(codes, scales, **settings), tmp_path / "model.safetensors")
    else:
        save_file({f"{Q}.weight": codes.astype(np.int8), f"{Q}.SCB": scales}, tmp_path / "model.safetensors")
    found = rows(tmp_path, roles=roles)
    (row,) = [row for row in found.values() if row.status.startswith("not finite")]
    assert row.layer == Q


def test_an_update_and_its_sum_with_the_base_are_told_apart_from_a_base_that_is_sound(
    base, write_adapter, rng
) -> None:
    folder, _ = base
    A, B = rng.standard_normal((4, 40)), rng.standard_normal((48, 4))
    B[0, 0] = np.nan
    found = rows(folder, write_adapter({Q: (A, B)}, r=4, lora_alpha=4))
    assert (
        found[f"delta {Q}"].status
        == found[f"merged {Q}"].status
        == "not finite: 1 of 352 numbers are NaN or infinite"
    )


def test_a_second_look_reads_nothing_and_a_changed_file_is_read_again(base, tmp_path) -> None:
    folder, tensors = base
    kept = tmp_path / "kept"
    assert rows(folder, kept=kept)["model.embed_tokens"].status == NOT_ASKED
    tensors["model.embed_tokens.weight"][0] = np.inf
    save_file(tensors, folder / "other.safetensors")
    (folder / "other.safetensors").replace(folder / "model.safetensors")
    for _ in range(2):
        assert rows(folder, kept=kept)["model.embed_tokens"].status.startswith("not finite: 40 of 4,000")


def test_the_terminal_says_so_and_no_mean_counts_it(base) -> None:
    folder, tensors = base
    sound = section(list(rows(folder).values()))
    assert not sound.not_finite
    tensors[f"{V}.weight"][2, 2] = np.nan
    tensors["model.norm.weight"][:] = np.inf
    save_file(tensors, folder / "model.safetensors")
    found = section(list(rows(folder).values()))
    (said,) = found.not_finite
    assert said.startswith(
        f"m: 2 tensors with values that are not finite (the first is {V}: 1 of 960 numbers"
    )
    assert found.summaries[0].analysed == sound.summaries[0].analysed - 1
    out = io.StringIO()
    weight_tables.show(found, Console(file=out, width=200))
    assert said in " ".join(out.getvalue().split())
