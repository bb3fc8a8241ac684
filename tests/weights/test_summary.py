from typing import Literal

import pytest

from harness.types import WeightRow
from harness.weights.summary import FEW, alpha, summarise, summarise_roles, worth


def row(
    status: str, part: Literal["W", "delta", "merged"] = "W", role: str = "q", **numbers: float
) -> WeightRow:
    return WeightRow(
        model="m", adapter=None, part=part, layer="l", role=role, status=status,
        rows=9, cols=9, eigenvalues=9, numbers=numbers,
    )  # fmt: skip


def test_means_and_shares_are_of_the_analysed_alone() -> None:
    rows = [row("analysed", alpha=alpha) for alpha in (1.5, 2.0, 6.0, 7.5)]
    rows += [row("failed: it is torn", alpha=99.0), row("tied to x"), row("tied to y"), row("zero")]
    (summary,) = summarise(rows)
    assert summary.by_status == {"analysed": 4, "failed": 1, "tied": 2, "zero": 1}
    assert (summary.layers, summary.analysed) == (8, 4)
    assert (summary.below_2, summary.from_2_to_6, summary.above_6) == (0.25, 0.5, 0.25)
    assert summary.mean_alpha == pytest.approx(4.25)
    assert summary.median_alpha == pytest.approx(4.0)


def test_parts_are_kept_apart_and_nothing_analysed_has_no_mean() -> None:
    whole, delta = summarise([row("analysed", alpha=3.0), row("zero", "delta")])
    assert (whole.part, whole.mean_alpha, delta.part, delta.mean_alpha, delta.above_6) == (
        "W",
        3.0,
        "delta",
        None,
        None,
    )
    assert delta.median_alpha is None


def test_embeddings_and_the_rest_stay_out_of_means_unless_asked_for() -> None:
    rows = [
        row("analysed", alpha=3.0),
        row("analysed", role="embedding", alpha=9.0),
        row("analysed", role="other", alpha=9.0),
    ]
    (summary,) = summarise(rows)
    assert (summary.layers, summary.analysed, summary.mean_alpha, summary.above_6) == (3, 1, 3.0, 0.0)
    (with_all,) = summarise(rows, aside=())
    assert (with_all.analysed, with_all.mean_alpha) == (3, 7.0)
    assert [(one.role, one.mean_alpha) for one in summarise_roles(rows)] == [
        ("q", 3.0),
        ("embedding", 9.0),
        ("other", 9.0),
    ]


def test_an_update_of_too_few_values_has_no_alpha_to_read() -> None:
    rows = [
        row("analysed", "delta", alpha=2.0, reliable=0.0),
        row("analysed", "delta", alpha=3.0, reliable=1.0),
    ]
    assert [alpha(one) for one in rows] == [None, 3.0]
    (summary,) = summarise(rows)
    assert (summary.analysed, summary.unreliable, summary.mean_alpha) == (1, 1, 3.0)


def test_layers_with_a_short_tail_are_counted_where_its_length_is_known() -> None:
    rows = [row("analysed", alpha=3.0, num_pl_spikes=n) for n in (8.0, FEW - 1.0, float(FEW))]
    (summary,) = summarise([*rows, row("analysed", alpha=3.0)])
    assert summary.few == 2
    assert f"2 of the 4 alphas here rest on fewer than {FEW}" in worth([summary])
    assert "of the" not in worth([]).split("Those findings")[0]
    # (4 - 1) / √50 and (4 - 1) / √8
    assert "is uncertain by 0.4, from 8 by 1.1" in worth([])
