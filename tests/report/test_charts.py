"""Charts are held against Vega-Lite's schema here, since drawing leaves Altair's own checks out for speed."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import altair as alt
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

from harness.report import charts, drawing
from harness.report.charts import (
    alphas,
    cost_panels,
    differences,
    histogram,
    labels,
    losses,
    pareto,
    ratios,
    spectra,
)
from harness.report.page import ComparisonFamily, Page, build
from harness.results import read
from harness.types import Comparison, System

VEGA_LITE = jsonschema.Draft7Validator(alt.Root._schema)


@pytest.fixture(scope="module")
def page(example: Path) -> Page:
    return build(read(example))


@pytest.mark.slow
@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize(
    "name", ["differences", "pareto", "losses", "alphas", "histogram", "ratios", "spectra"]
)
def test_specifications_are_valid_vega_lite(page: Page, width: int, name: str) -> None:
    chart = {
        "differences": partial(differences.chart, page.tasks[0]),
        "pareto": partial(pareto.chart, page.tasks[0]),
        "losses": partial(losses.chart, page.curves),
        "alphas": partial(alphas.chart, page.weights.rows),
        "histogram": partial(histogram.chart, page.weights.rows),
        "ratios": partial(ratios.chart, page.weights.rows),
        "spectra": partial(spectra.chart, spectra.layers(page.weights.rows, "llama2-tiny")),
    }[name]
    spec = charts.specification(chart, width)
    assert (
        spec["config"].pop("background", "") is None
    )  # no colour at all: Vega takes it, its schema has no word for it
    VEGA_LITE.validate(spec)
    broken = {**spec, "resolve": {"scale": {"colour": "shared"}}}
    with pytest.raises(jsonschema.ValidationError):
        VEGA_LITE.validate(broken)


@pytest.mark.slow
@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
@pytest.mark.parametrize("name", ["differences", "pareto", "losses", "alphas", "histogram", "ratios"])
def test_charts_keep_to_their_width_and_colours(page: Page, width: int, name: str) -> None:
    chart = {
        "differences": partial(differences.chart, page.tasks[0]),
        "pareto": partial(pareto.chart, page.tasks[0]),
        "losses": partial(losses.chart, page.curves),
        "alphas": partial(alphas.chart, page.weights.rows),
        "histogram": partial(histogram.chart, page.weights.rows),
        "ratios": partial(ratios.chart, page.weights.rows),
    }[name]
    spec = charts.specification(chart, width)
    with drawing.pen() as pen:
        svg = pen.draw(lambda: spec, "spec", "says", "name").result()
    drawn = re.search(r'width="([\d.]+)"', svg)
    assert drawn and float(drawn[1]) <= width + 8
    known = {*charts.STAND_IN.values(), "none", "transparent"}
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) <= known
    assert not re.search(r"#0\w0d0\w", charts.in_page(svg) + charts.in_file(svg, charts.DARK))


def test_where_no_side_is_the_baseline_the_better_one_is_named_first() -> None:
    one = Comparison(
        task="t", metric="m", baseline=System(model="a"), candidate=System(model="b"), difference=-2.0, low=-3.0,
        high=-1.0, p=0.01, p_holm=0.02, family="t: bases against each other", test="t", detectable=1.0, n=9,
    )  # fmt: skip
    turned = differences.arranged(ComparisonFamily(title="", comparisons=(one,))).comparisons[0]
    assert (turned.candidate.model, turned.difference, turned.low, turned.high) == ("a", 2.0, 1.0, 3.0)
    adapter = replace(one, candidate=System(model="a", adapter="x"))
    assert differences.arranged(ComparisonFamily(title="", comparisons=(adapter,))).comparisons[0] == adapter


def test_a_comparison_names_both_systems_whole() -> None:
    one = Comparison(
        task="t", metric="m", baseline=System(model="trivial:copy"), candidate=System(model="a", adapter="x"),
        difference=2.0, low=1.0, high=3.0, p=0.01, p_holm=0.02, family="t", test="t", detectable=1.0, n=9,
    )  # fmt: skip
    assert differences.label(one, 400, 12.5) == "a + x over copy of the input"
    adapters = replace(one, baseline=System(model="b", adapter="x"))
    assert differences.label(adapters, 400, 12.5) == "a + x over b + x"
    assert (
        differences.label(replace(one, baseline=System(model="a", adapter="y")), 400, 12.5)
        == "a + x over a + y"
    )
    assert differences.label(replace(one, baseline=System(model="a")), 400, 12.5) == "a + x"


@pytest.mark.parametrize("room", [140.0, 200.0, 300.0])
@pytest.mark.parametrize("names", [("a", "b" * 60), ("a" * 60, "b"), ("a" * 60, "b" * 60), ("a", "b")])
def test_both_names_of_a_comparison_share_the_room(names: tuple[str, str], room: float) -> None:
    candidate, baseline = (System(model=name) for name in names)
    one = Comparison(
        task="t", metric="m", baseline=baseline, candidate=candidate, difference=2.0, low=1.0, high=3.0, p=0.01,
        p_holm=0.02, family="t", test="t", detectable=1.0, n=9,
    )  # fmt: skip
    text = differences.label(one, room, 12.5)
    assert labels.wide(text, 12.5) <= room
    for name, part in zip(names, text.split(" over "), strict=True):
        whole = labels.wide(name, 12.5)
        assert labels.wide(part, 12.5) >= min(whole, room / 2 - labels.wide(" over " + "b…b", 12.5))


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_names_numbers_and_headings_of_differences_have_their_room(page: Page, width: int) -> None:
    spec = charts.specification(partial(differences.chart, page.tasks[0]), width)
    (unseen,) = (layer for layer in spec["layer"] if layer["mark"].get("color") == "transparent")
    left, right = (unseen["encoding"][end]["value"] for end in ("x", "x2"))
    assert right - left <= width and spec["width"] >= differences.LEAST
    for layer in spec["layer"]:
        if layer["mark"]["type"] != "text":
            continue
        at, rightwards = layer["encoding"]["x"]["value"], layer["mark"]["align"] == "left"
        for row in spec["datasets"][layer["data"]["name"]]:
            text = row[layer["encoding"]["text"]["field"]]
            room = labels.wide(text, layer["mark"]["fontSize"])
            room *= labels.BOLD if layer["mark"].get("fontWeight") else 1
            assert left <= at - (0 if rightwards else room) and at + (room if rightwards else 0) <= right, (
                text
            )


def test_the_line_at_zero_crosses_no_heading_and_no_name(page: Page) -> None:
    for width in (charts.WIDE, charts.NARROW):
        spec = charts.specification(partial(differences.chart, page.tasks[0]), width)
        tables = [table for table in spec["datasets"].values() if len(table) > 1]
        pairs, headings = sorted(tables, key=lambda table: "low" not in table[0])
        names = headings if width == charts.WIDE else headings + [{"line": pair["name"]} for pair in pairs]
        assert not any(pair["above"] < one["line"] < pair["below"] for pair in pairs for one in names)


def test_names_too_long_keep_both_ends() -> None:
    assert labels.cut("a-very-long-name-that-ends-so", 11) == "a-ver…ds-so"


def test_of_many_pairs_the_largest_and_the_smallest_are_drawn_and_the_heading_says_so(page: Page) -> None:
    group = page.tasks[0].groups[0]
    many = replace(group, comparisons=group.comparisons * 5)
    drawn = differences.drawn_of(differences.arranged(many))
    assert len(drawn) == differences.MOST
    assert drawn[0].difference == max(one.difference for one in group.comparisons)
    assert drawn[-1].difference == min(one.difference for one in group.comparisons)
    spec = charts.specification(
        partial(differences.chart, replace(page.tasks[0], groups=(many,))), charts.WIDE
    )
    assert "(16 of 20, the largest and the smallest)" in str(spec["datasets"])


points = some.lists(some.tuples(some.integers(0, 9), some.integers(0, 9)), min_size=1, max_size=12)


@given(points)
def test_the_front_holds_every_point_that_none_beats_in_one_and_equals_in_the_other(
    drawn: list[tuple[int, int]],
) -> None:
    def beaten(one: tuple[int, int]) -> bool:
        return any(other != one and other[0] <= one[0] and other[1] >= one[1] for other in drawn)

    found = [drawn[place] for place in cost_panels.front(drawn)]
    assert set(found) == {one for one in drawn if not beaten(one)}
    assert found == sorted(found)


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_where_names_have_no_room_every_dot_has_the_number_of_its_line_in_the_table(
    page: Page, width: int
) -> None:
    task = page.tasks[0]
    crowded = replace(task, lines=task.lines * 4)
    assert cost_panels.has_numbers(crowded, width) and cost_panels.is_numbered(crowded)
    key = cost_panels.key(crowded)
    assert [one.number for one in key] == list(range(1, 33))
    assert [one.line.system for one in key] == [
        line.system for line in crowded.lines if line.role != "trivial"
    ]
    spec = charts.specification(partial(pareto.chart, crowded), width)
    drawn = [row["name"] for table in spec["datasets"].values() for row in table if "name" in row]
    panels = len(cost_panels.measured(crowded))
    assert len(drawn) == 32 * panels and all(str(name).isdigit() for name in drawn)


def test_few_dots_have_names_and_no_numbers(page: Page) -> None:
    task = page.tasks[0]
    few = replace(task, lines=tuple(line for line in task.lines if line.system.model == "falcon-tiny"))
    assert not cost_panels.is_numbered(few)
    spec = charts.specification(partial(pareto.chart, few), charts.WIDE)
    drawn = {row["name"] for table in spec["datasets"].values() for row in table if "name" in row}
    assert drawn == {"falcon-tiny", "falcon-tiny + quickstart"}
