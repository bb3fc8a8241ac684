"""One adapter's layers, summed up."""

from dataclasses import replace

import pytest

from harness.types import WeightRow
from harness.weights.data_free import COUNTED, DELTA, LATER, MEANINGS, MERGED, data_free


def row(part: str, layer: str, **numbers: float) -> WeightRow:
    return WeightRow(
        model="m",
        adapter=None if part == "W" else "a",
        part=part,  # type: ignore[arg-type]
        layer=layer,
        role="q",
        status="analysed",
        rows=64,
        cols=64,
        eigenvalues=64,
        numbers=numbers,
    )


BASE = [row("W", "one", alpha=3.0, log_norm=1.0), row("W", "two", alpha=5.0, log_norm=2.0)]
ADAPTER = [
    row("delta", "one", delta_ratio=0.2, log_norm=-1.0, alpha=2.0, reliable=0.0, intruder_dimensions=2.0),
    row("merged", "one", alpha=7.0, log_norm=1.5),
]


def test_the_merged_model_has_the_bases_layers_where_the_adapter_leaves_them_alone() -> None:
    found = data_free(ADAPTER, BASE)
    assert found["alpha of W + ΔW"] == pytest.approx((7 + 5) / 2)
    assert found["log_norm of W + ΔW"] == pytest.approx((1.5 + 2) / 2)
    assert found["alpha outside 2 to 6"] == 0.5
    assert found["shift of alpha, either way"] == 4.0


def test_the_update_is_told_by_its_own_layers() -> None:
    found = data_free(ADAPTER, BASE)
    assert found["delta_ratio of ΔW"] == 0.2
    assert found["intruder_dimensions, all layers"] == 2.0
    assert "alpha of ΔW" not in found  # of too few values to be read


def test_what_no_row_says_is_not_there() -> None:
    found = data_free(ADAPTER, BASE)
    assert not {"stable_rank of ΔW", "overlap", "num_traps, all layers"} & set(found)
    assert data_free([], []) == {}


@pytest.mark.parametrize("alpha", [float("nan"), float("inf"), None])
def test_a_layer_that_failed_enters_no_mean(alpha: float | None) -> None:
    numbers = {"log_norm": 9.0} if alpha is None else {"alpha": alpha, "log_norm": 9.0}
    failed = replace(row("merged", "one"), status="failed: no power law fits one", numbers=numbers)
    found = data_free([ADAPTER[0], failed], BASE)
    assert found["alpha of W + ΔW"] == 5.0
    assert "shift of alpha, either way" not in found
    assert found["log_norm of W + ΔW"] == pytest.approx((9 + 2) / 2)


def test_every_number_is_explained() -> None:
    everything = dict.fromkeys((*MERGED, *DELTA, *LATER, *COUNTED, "reliable"), 1.0)
    rows = [row("delta", "one", **everything), row("merged", "one", **everything)]
    assert set(data_free(rows, [row("W", "one", **everything)])) == set(MEANINGS)
