"""The eigenvalue densities of a model's layers on two logarithmic axes, one of them picked, with its fitted tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log10
from statistics import median_low
from typing import Any

import altair as alt

from harness.report import words
from harness.report.charts import Chart, Data, Kind, picked
from harness.types import Density, WeightRow
from harness.weights.summary import alpha

MOST = 80  # layers of a model that can be picked
WIDE, NARROW = 520, 340  # pixels: half a desk's column, and a phone's
HEIGHT, AXES = 210, 54

Point = tuple[float, float]  # log10 λ and log10 of its density


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One line of the chart."""

    number: int  # from 1 on, as in the list that it is picked from
    base: WeightRow
    merged: WeightRow | None
    first: bool  # shown until another is picked


def layers(rows: Sequence[WeightRow], model: str) -> tuple[Layer, ...]:
    """The base's layers that have a density and a fit; the one with the median alpha comes first to the eye.

    Of many some are left out, evenly; of several adapters the first is drawn beside the base.
    """
    own = [one for one in rows if one.model == model and _points(one)]
    bases = [one for one in own if one.part == "W" and alpha(one) is not None]
    if not bases:
        return ()
    middle = median_low([one.numbers["alpha"] for one in bases])
    chosen = next(one for one in bases if one.numbers["alpha"] == middle)
    step = ceil(len(bases) / MOST)
    shown = [one for place, one in enumerate(bases) if place % step == 0 or one is chosen]
    merged = {one.layer: one for one in reversed(own) if one.part == "merged"}
    return tuple(
        Layer(number=number, base=one, merged=merged.get(one.layer), first=one is chosen)
        for number, one in enumerate(shown, 1)
    )


def says(row: WeightRow) -> str:
    """`q_proj of block 3: alpha 3.21 ± 0.18, 41 of 128 eigenvalues`, as an entry of the list."""
    numbers = row.numbers
    error = f" ± {words.number(numbers['sigma'], 2)}" if "sigma" in numbers else ""
    tail = (
        f", {numbers['num_pl_spikes']:.0f} of {row.eigenvalues} eigenvalues"
        if "num_pl_spikes" in numbers
        else ""
    )
    return f"{words.visible(row.layer)}: alpha {words.number(numbers['alpha'], 2)}{error}{tail}"


def chart(shown: Sequence[Layer], data: Data, width: int) -> Chart:
    """All layers faint; the picked one strong, with its power law from xmin on and, in another colour, merged."""
    spectra: list[dict[str, object]] = []
    fits: list[dict[str, object]] = []
    starts: list[dict[str, object]] = []
    merged: list[dict[str, object]] = []
    for one in shown:
        spectra += _line("spectrum", one, _points(one.base))
        fits += _line("fit", one, tail(one.base))
        starts += _line("fit", one, tail(one.base)[:1])
        if one.merged is not None:
            merged += _line("merged", one, _points(one.merged))
    x = alt.X(
        "x:Q",
        title="log₁₀ λ",
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(tickCount=6, grid=False),
    )
    y = alt.Y(
        "y:Q", title="log₁₀ density", scale=alt.Scale(nice=False, zero=False), axis=alt.Axis(tickCount=5)
    )
    stroke = alt.Stroke("colour:N", scale=None, legend=None)
    lines: dict[str, Any] = {"strokeWidth": 1, "strokeJoin": "round"}
    return alt.LayerSpec(
        layer=[
            alt.Chart(data.add(spectra)).mark_line(**lines).encode(x=x, y=y, stroke=stroke),
            alt.Chart(data.add(merged)).mark_line(**lines).encode(x=x, y=y, stroke=stroke),
            alt.Chart(data.add(starts)).mark_rule(strokeDash=[2, 3]).encode(x=x, stroke=stroke),
            alt.Chart(data.add(fits)).mark_line(strokeDash=[6, 3]).encode(x=x, y=y, stroke=stroke),
        ],
        width=width - AXES,
        height=HEIGHT,
        title=words.visible(shown[0].base.model),
    )


def _line(kind: Kind, layer: Layer, points: Sequence[Point]) -> list[dict[str, object]]:
    colour = picked(kind, layer.number, layer.first)
    return [{"x": round(x, 3), "y": round(y, 3), "colour": colour} for x, y in points]


def _points(row: WeightRow) -> list[Point]:
    return [] if row.density is None else points(row.density)


def points(density: Density) -> list[Point]:
    """Share of eigenvalues per unit of λ, in the middle of each bin that holds any.

    Bins are joined until there are some 3·∛n of them: finer ones show chance.
    """
    counts, n = density.counts, sum(density.counts)
    if not n or not density.low < density.high:
        return []
    each = ceil(len(counts) / (3 * n ** (1 / 3)))
    width = (density.high - density.low) / len(counts)
    edges = [density.low + width * place for place in [*range(0, len(counts), each), len(counts)]]
    found = []
    for place, (left, right) in enumerate(pairwise(edges)):
        held = sum(counts[place * each : (place + 1) * each])
        if held:
            found.append(((left + right) / 2, log10(held / n) - log10(10**right - 10**left)))
    return found


def tail(row: WeightRow) -> list[Point]:
    """The power law's two ends, from xmin to the largest eigenvalue; none where its numbers are not there."""
    numbers, density = row.numbers, row.density
    if density is None or not {"alpha", "xmin", "num_pl_spikes"} <= numbers.keys() or not numbers["xmin"] > 0:
        return []
    exponent, start, share = (
        numbers["alpha"],
        log10(numbers["xmin"]),
        numbers["num_pl_spikes"] / sum(density.counts),
    )
    if not share > 0 or not exponent > 1:
        return []
    top = log10(share * (exponent - 1)) - start
    return [(start, top), (density.high, top - exponent * (density.high - start))]
