"""Eigenvalue densities of a model's layers on logarithmic axes; one layer is picked and shown with its power-law fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import ceil, log10
from statistics import median_low
from typing import Any

import altair as alt

from harness import text as words
from harness.report.charts import STAND_IN, Chart, Data, Kind, picked
from harness.report.charts.labels import cut
from harness.types import Density, WeightRow
from harness.weights.summary import alpha

MOST = 80  # layers of a model that can be picked
LETTERS = 36  # of a layer's name in the list
FINE = 20  # each point of a line stands for at least one FINE-th of the eigenvalues
WIDTH, HEIGHT, AXES = 380, 190, 54  # pixels: one drawing, scaled down on a phone and up on a desktop

Point = tuple[float, float]  # log10 λ and log10 of its density


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpectrum:
    """A layer of the chart: its base, and merged with the adapter."""

    number: int  # from 1, as in the list that it is picked from
    base: WeightRow
    merged: WeightRow | None
    first: bool  # picked by default


def layers(rows: Sequence[WeightRow], model: str) -> tuple[LayerSpectrum, ...]:
    """Return the base's layers that have a density and a fit; the one with the median alpha is picked by default.

    If there are more than MOST, some are left out at even steps; of several adapters the first is drawn beside the base.
    """
    own = [row for row in rows if row.model == model and _points(row)]
    bases = [row for row in own if row.part == "W" and alpha(row) is not None]
    if not bases:
        return ()
    middle = median_low([base.numbers["alpha"] for base in bases])
    chosen = next(base for base in bases if base.numbers["alpha"] == middle)
    step = ceil(len(bases) / MOST)
    shown = [base for place, base in enumerate(bases) if place % step == 0 or base is chosen]
    merged = {row.layer: row for row in reversed(own) if row.part == "merged"}
    return tuple(
        LayerSpectrum(number=number, base=base, merged=merged.get(base.layer), first=base is chosen)
        for number, base in enumerate(shown, 1)
    )


def says(row: WeightRow, prefix: str = "") -> str:
    """Return a layer's entry in the list: `3.self_attn.q_proj: α 3.21 ± 0.18 (41 of 128)`."""
    numbers = row.numbers
    name = cut(words.visible(row.layer.removeprefix(prefix)), LETTERS)
    error = f" ± {words.number(numbers['sigma'], 2)}" if "sigma" in numbers else ""
    tail = f" ({numbers['num_pl_spikes']:.0f} of {row.eigenvalues})" if "num_pl_spikes" in numbers else ""
    return f"{name}: α {words.number(numbers['alpha'], 2)}{error}{tail}"


def options(shown: Sequence[LayerSpectrum]) -> tuple[str, ...]:
    """Return the layers' entries in the list, without the prefix that all names share."""
    names = zip(*(layer.base.layer.split(".") for layer in shown), strict=False)
    prefix = "".join(f"{same[0]}." for same in takewhile(lambda parts: len({*parts}) == 1, names))
    return tuple(says(layer.base, prefix) for layer in shown)


def chart(shown: Sequence[LayerSpectrum], data: Data, width: int) -> Chart:
    """Return all layers faint, and over them the picked one with its power law from xmin, and merged in another colour."""
    faint: list[dict[str, object]] = []
    spectra: list[dict[str, object]] = []
    fits: list[dict[str, object]] = []
    starts: list[dict[str, object]] = []
    merged: list[dict[str, object]] = []
    for layer in shown:
        faint += [{"x": round(x, 3), "y": round(y, 3)} for x, y in _points(layer.base)]
        faint.append({"x": faint[-1]["x"], "y": None})  # ends the line
        spectra += _line("spectrum", layer, _points(layer.base))
        fits += _line("fit", layer, tail(layer.base))
        starts += _line("fit", layer, tail(layer.base)[:1])
        if layer.merged is not None:
            merged += _line("merged", layer, _points(layer.merged))
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
            alt.Chart(data.add([{**point, "place": place} for place, point in enumerate(faint)]))
            .mark_line(stroke=STAND_IN["line"], **lines)
            .encode(x=x, y=y, order=alt.Order("place:Q")),
            alt.Chart(data.add(spectra))
            .mark_line(**{**lines, "strokeWidth": 2.5})
            .encode(x=x, y=y, stroke=stroke),
            alt.Chart(data.add(merged))
            .mark_line(**{**lines, "strokeWidth": 1.5})
            .encode(x=x, y=y, stroke=stroke),
            alt.Chart(data.add(starts)).mark_rule(strokeDash=[2, 3]).encode(x=x, stroke=stroke),
            alt.Chart(data.add(fits)).mark_line(strokeDash=[6, 3]).encode(x=x, y=y, stroke=stroke),
        ],
        width=width - AXES,
        height=HEIGHT,
    )


def _line(kind: Kind, layer: LayerSpectrum, points: Sequence[Point]) -> list[dict[str, object]]:
    colour = picked(kind, layer.number, layer.first)
    return [{"x": round(x, 3), "y": round(y, 3), "colour": colour} for x, y in points]


def _points(row: WeightRow) -> list[Point]:
    return [] if row.density is None else points(row.density)


def points(density: Density) -> list[Point]:
    """Return the share of eigenvalues per unit of λ, at the middle of bins that are joined until each has enough.

    This draws the tail, which has few eigenvalues, as finely as sampling noise allows.
    """
    counts, n = density.counts, sum(density.counts)
    if not n or not density.low < density.high:
        return []
    enough = max(2, n // FINE)
    width = (density.high - density.low) / len(counts)
    found, held, left = [], 0, 0
    for place, count in enumerate(counts, 1):
        held += count
        if held >= enough or (place == len(counts) and held):
            start, end = density.low + width * left, density.low + width * place
            found.append(((start + end) / 2, log10(held / n) - log10(10**end - 10**start)))
            held, left = 0, place
    return found


def tail(row: WeightRow) -> list[Point]:
    """Return the power law's two ends, from xmin to the largest eigenvalue; empty if the fit is missing."""
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
