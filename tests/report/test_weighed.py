"""The weights' part of a page, of rows that have much, little or nothing."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from typing import Any, Literal, TypedDict

import pytest
from rich.console import Console

from harness.report import charts, drawing, figures, html, weighed, weight_tables
from harness.report.charts import alphas, histogram, ratios, spectra
from harness.report.weighed import WeightSection, section
from harness.types import Density, WeightRow


class Fit(TypedDict):
    """What a fitted power law gives besides alpha."""

    sigma: float
    xmin: float
    num_pl_spikes: float


def row(
    layer: str,
    part: Literal["W", "delta", "merged"] = "W",
    *,
    model: str = "m",
    status: str = "analysed",
    **numbers: float,
) -> WeightRow:
    return WeightRow(
        model=model, adapter=None if part == "W" else "x", part=part, layer=layer, role="q", status=status, rows=40,
        cols=30, eigenvalues=30, numbers=numbers,
    )  # fmt: skip


def layer(block: int) -> str:
    return f"model.layers.{block}.self_attn.q_proj"


DENSITY = Density(low=-1.0, high=1.0, counts=(1, 4, 9, 8, 5, 2, 0, 1))
FIT = Fit(sigma=0.5, xmin=1.0, num_pl_spikes=9.0)


def whole() -> list[WeightRow]:
    """Three blocks, the middle one with an adapter."""
    bases = [
        replace(row(layer(block), alpha=alpha, **FIT), density=DENSITY)
        for block, alpha in enumerate((2.5, 3.5, 7.0))
    ]
    delta = row(layer(1), "delta", alpha=2.2, reliable=0.0, delta_ratio=0.031)
    merged = replace(row(layer(1), "merged", alpha=3.1, intruder_dimensions=2.0, **FIT), density=DENSITY)
    return [*bases, delta, merged]


def tables(chart: Callable[[charts.Data, int], charts.Chart]) -> list[dict[str, Any]]:
    """Every line of every table that the chart draws from."""
    return [one for table in charts.specification(chart, charts.WIDE)["datasets"].values() for one in table]


def page(found: WeightSection) -> str:
    with drawing.pen() as pen:
        return html.render_weights(found, figures.draw_weights(found, pen), "m", ["alpha"], "harness weigh m")


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("a", status="zero")],
        [row("a", alpha=3.0)],  # no depth, no density, no length of its tail
        [row(layer(0), alpha=30.0), row(layer(1), alpha=1.2)],
        [row(layer(0), "delta", alpha=3.0, reliable=1.0)],  # an update alone
        [row(layer(0), "merged", alpha=3.0)],
        [row(layer(0), "delta", status="zero")],
        [replace(row(layer(0), alpha=3.0, **FIT), density=Density(low=1.0, high=1.0, counts=(0, 5)))],
        [replace(row(layer(0), alpha=3.0), density=DENSITY)],  # no xmin
        [replace(row(layer(0), status="zero"), role="embedding"), row("lm_head", alpha=3.0)],
    ],
)
def test_a_page_copes_with_rows_that_lack_numbers(rows: list[WeightRow]) -> None:
    found = section(rows)
    assert "<h1>m</h1>" in page(found)
    weight_tables.show(found, Console(file=StringIO()))


@pytest.mark.slow
def test_the_page_says_what_is_left_out_and_what_it_is_worth() -> None:
    text = re.sub(r"\s+", " ", page(section(whole())))
    assert "left out of charts and means (1 of 1), and shown in brackets" in text
    assert "JMLR 22:165" in text
    assert "Nature Communications 12:4122" in text
    assert "4 of the 4 alphas here rest on fewer than 50" in text
    assert "2 of 10" in text  # intruders, of the ten leading vectors of one layer
    assert text.count("<script>") == 2  # our own: the policy names their digests


@pytest.mark.parametrize(
    ("numbers", "name", "shown"),
    [
        ({"alpha": 3.14159}, "alpha", "3.142"),
        ({"alpha": 3.14159, "reliable": 0.0}, "alpha", "(3.142)"),
        ({"alpha": 3.14159, "reliable": 1.0}, "alpha", "3.142"),
        ({"num_pl_spikes": 41.0}, "num_pl_spikes", "41"),
        ({"lambda_max": 0.00004}, "lambda_max", "4.0e-05"),
        ({"alpha_shift": -0.5}, "alpha_shift", "\N{MINUS SIGN}0.500"),
        ({}, "alpha", ""),
    ],
)
def test_numbers_of_a_table(numbers: dict[str, float], name: str, shown: str) -> None:
    assert weighed.number(replace(row("a", "delta"), numbers=numbers), name) == shown


def test_updates_with_too_few_values_are_not_drawn() -> None:
    def triangles(reliable: float) -> int:
        rows = [*whole()[:3], row(layer(1), "delta", alpha=2.2, reliable=reliable)]
        return sum(one.get("part") == "delta" for one in tables(partial(alphas.chart, rows)))

    assert triangles(0.0) == 0
    assert triangles(1.0) == 1


def test_a_layer_that_its_adapter_leaves_alone_has_one_dot() -> None:
    rows = [row(layer(0), alpha=3.0), row(layer(0), "merged", alpha=3.0)]
    assert sum("alpha" in one for one in tables(partial(alphas.chart, rows))) == 1


def test_the_layer_with_the_median_alpha_is_picked_first() -> None:
    shown = spectra.layers(whole(), "m")
    assert [(one.number, one.first, one.merged is not None) for one in shown] == [
        (1, False, False),
        (2, True, True),
        (3, False, False),
    ]
    assert spectra.options(shown)[1] == "1.self_attn.q_proj: α 3.50 ± 0.50 (9 of 30)"


def test_of_very_many_layers_some_can_be_picked_and_the_median_is_among_them() -> None:
    rows = [replace(row(layer(n), alpha=2 + n / 500, **FIT), density=DENSITY) for n in range(333)]
    shown = spectra.layers(rows, "m")
    assert len(shown) <= spectra.MOST + 1
    assert sum(one.first for one in shown) == 1
    assert next(one for one in shown if one.first).base.layer == layer(166)


@pytest.mark.slow
def test_a_choice_shows_its_layer_without_a_script() -> None:
    text = page(section(whole()))
    assert [bool(one) for one in re.findall(r"<option( selected)?>", text)] == [False, True, False]
    for number in (1, 2, 3):
        assert f".pick:has(option:nth-child({number}):checked) .n{number}{{" in text
        assert re.search(rf'<path[^>]* class="spectrum(?: first)? n{number}"', text)
    assert re.search(r'<path[^>]* class="merged first n2"', text)
    assert not re.search(r"#0[def][01]", text)


def test_in_a_file_the_first_choice_is_coloured_and_the_others_are_not_there() -> None:
    drawn = "".join(
        f'<path stroke="{charts.picked(kind, 3, first)}"/>'
        for kind in ("spectrum", "fit", "merged")
        for first in (True, False)
    )
    found = re.findall(r'stroke="([^"]+)"', charts.in_file(drawn, charts.LIGHT))
    blue, warm = charts.LIGHT["accent"], charts.LIGHT["warm"]
    assert found == [blue, "none", blue, "none", warm, "none"]


def test_a_density_is_a_share_per_unit_and_its_tail_begins_at_xmin() -> None:
    """A hand calculation: 2 of 4 eigenvalues in each of two bins, from 1 to 10 and from 10 to 100."""
    points = spectra.points(Density(low=0.0, high=2.0, counts=(2, 2)))
    assert [x for x, _ in points] == [0.5, 1.5]
    assert [10**y for _, y in points] == pytest.approx([0.5 / 9, 0.5 / 90])
    of = replace(
        row("a", alpha=3.0, xmin=10.0, num_pl_spikes=2.0), density=Density(low=0.0, high=2.0, counts=(2, 2))
    )
    (start, top), (end, bottom) = spectra.tail(of)
    # Half of all from xmin on: 0.5 · (3 - 1) / 10 at xmin, and a thousandth of that ten times further.
    assert (start, end) == (1.0, 2.0)
    assert [10**top, 10**bottom] == pytest.approx([0.1, 0.0001])


def test_each_bar_is_a_share_of_its_own_models_layers() -> None:
    rows = [row(layer(n), alpha=alpha) for n, alpha in enumerate((2.1, 2.2, 3.6, 40.0))]
    bars = [one for one in tables(partial(histogram.chart, rows)) if {"from", "top", "foot"} <= one.keys()]
    heights = {one["from"]: one["foot"] - one["top"] for one in bars}
    assert heights == {
        2.0: pytest.approx(histogram.BARS),
        3.5: pytest.approx(histogram.BARS / 2),
        11.5: pytest.approx(histogram.BARS / 2),  # at the edge: no power law fits there
    }


def test_a_cell_of_the_map_holds_the_largest_update_of_its_role_and_block() -> None:
    rows = [
        row("l.0.q_a", "delta", delta_ratio=0.01),
        row("l.0.q_b", "delta", delta_ratio=0.04),
        row("l.1.q_a", "delta", status="zero"),
    ]
    ((name, _, found),) = ratios.chosen(rows)
    assert (name, found) == ("m + x", {("q", 1): 0.04, ("q", 2): 0.0})


def test_of_many_maps_those_of_the_largest_updates_are_drawn() -> None:
    rows = [replace(row("l.0.q", "delta", delta_ratio=n / 100), adapter=f"x{n}") for n in range(1, 31)]
    assert [name for name, _, _ in ratios.chosen(rows)] == [f"m + x{n}" for n in range(19, 31)]
