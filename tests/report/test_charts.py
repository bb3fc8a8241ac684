"""Altair checks the specifications here, since drawing leaves the checks out for speed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.report import charts
from harness.report.charts import alphas, differences, losses
from harness.report.page import Group, Page, build
from harness.result import read
from harness.types import Comparison, System


@pytest.fixture(scope="module")
def page(example: Path) -> Page:
    return build(read(example), samples=False)


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_specifications_are_valid_vega_lite(page: Page, width: int) -> None:
    data = charts.Data()
    for chart in (
        differences.chart(page.tasks[0], data, width),
        losses.chart(page.curves, data, width),
        alphas.chart(page.weights, data, width),
    ):
        chart.to_dict(validate=True)


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_charts_keep_to_their_width_and_colours(page: Page, width: int) -> None:
    data = charts.Data()
    svg = charts.draw(losses.chart(page.curves, data, width), data, "says", "name")
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
    turned = differences.arranged(Group(title="", comparisons=(one,))).comparisons[0]
    assert (turned.candidate.model, turned.difference, turned.low, turned.high) == ("a", 2.0, 1.0, 3.0)
    adapter = replace(one, candidate=System(model="a", adapter="x"))
    assert differences.arranged(Group(title="", comparisons=(adapter,))).comparisons[0] == adapter


def test_names_too_long_keep_both_ends() -> None:
    assert differences.cut("a-very-long-name-that-ends-so", 11) == "a-ver…ds-so"


def test_of_many_pairs_the_largest_and_the_smallest_are_drawn_and_the_heading_says_so(page: Page) -> None:
    group = page.tasks[0].groups[0]
    many = replace(group, comparisons=group.comparisons * 5)
    drawn = differences.drawn_of(differences.arranged(many))
    assert len(drawn) == differences.MOST
    assert drawn[0].difference == max(one.difference for one in group.comparisons)
    assert drawn[-1].difference == min(one.difference for one in group.comparisons)
    data = charts.Data()
    differences.chart(replace(page.tasks[0], groups=(many,)), data, charts.WIDE)
    assert "(16 of 20, the largest and the smallest)" in str(data.tables)
