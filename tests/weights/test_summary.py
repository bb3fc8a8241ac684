import pytest

from harness.types import WeightRow
from harness.weights.summary import summarise


def row(status: str, part: str = "W", **numbers: float) -> WeightRow:
    shape = {"rows": 9, "cols": 9, "eigenvalues": 9}
    return WeightRow(
        model="m", adapter=None, part=part, layer="l", role="q", status=status, numbers=numbers, **shape
    )


def test_means_and_shares_are_of_the_analysed_alone() -> None:
    rows = [row("analysed", alpha=alpha) for alpha in (1.5, 2.0, 6.0, 7.5)]
    rows += [row("failed: it is torn", alpha=99.0), row("tied to x"), row("tied to y"), row("zero")]
    (summary,) = summarise(rows)
    assert summary.by_status == {"analysed": 4, "failed": 1, "tied": 2, "zero": 1}
    assert (summary.layers, summary.analysed) == (8, 4)
    assert (summary.below_2, summary.from_2_to_6, summary.above_6) == (0.25, 0.5, 0.25)
    assert summary.mean_alpha == pytest.approx(4.25)


def test_parts_are_kept_apart_and_nothing_analysed_has_no_mean() -> None:
    whole, delta = summarise([row("analysed", alpha=3.0), row("zero", "delta")])
    assert (whole.part, whole.mean_alpha, delta.part, delta.mean_alpha, delta.above_6) == (
        "W",
        3.0,
        "delta",
        None,
        None,
    )
