"""Histograms of the alphas of each model's layers, above one axis."""

from collections import Counter
from collections.abc import Sequence
from math import ceil, floor
from statistics import median

import altair as alt

from harness import text as words
from harness.report.charts import STAND_IN, Chart, Data, at_x, labels
from harness.report.charts.alphas import LIMIT
from harness.types import WeightRow
from harness.weights.summary import OVER_TRAINED, SET_ASIDE, UNDER_TRAINED, alpha

BIN = 0.5  # of alpha
LINE = 66  # pixels per model
BARS = 0.66  # share of LINE for its bars; the rest is for its name


def chart(rows: Sequence[WeightRow], data: Data, width: int) -> Chart:
    """Return bars for the base's layers and an outline for the merged ones, each as a share of its layers."""
    models = list(dict.fromkeys(row.model for row in rows if counted(row) is not None))
    spread = {
        (name, part): [
            found
            for row in rows
            if (row.model, row.part) == (name, part) and (found := counted(row)) is not None
        ]
        for name in models
        for part in ("W", "merged")
    }
    shares = {key: _shares(alphas) for key, alphas in spread.items()}
    most = max(share for by_bin in shares.values() for share in by_bin.values())
    every = [found for alphas in spread.values() for found in alphas]
    low, high = floor(min(every)), min(LIMIT, ceil(max(every) + 1e-9))
    x = alt.Scale(domain=[low, high], nice=False, zero=False)
    y = alt.Scale(domain=[0, len(models)], reverse=True, nice=False, zero=False)
    bars, outlines, titles, medians = [], [], [], []
    for line, name in enumerate(models, 1):
        for start, share in shares[name, "W"].items():
            bars.append({"from": start, "to": start + BIN, "foot": line, "top": line - BARS * share / most})
        outlines += [
            {"model": name, **point} for point in _outline(shares[name, "merged"], line, most, low, high)
        ]
        shown = labels.fit(words.visible(name), 0.55 * width, 12.5, bold=True)
        titles.append({"line": line - 1, "name": shown, "n": _counts(spread, name)})
        if own := spread[name, "W"]:
            medians.append({"median": median(own), "foot": line, "top": line - BARS})
    band = alt.Chart(data.add([{"from": OVER_TRAINED, "to": min(UNDER_TRAINED, high)}]))
    bar, outline, label, middle = (alt.Chart(data.add(table)) for table in (bars, outlines, titles, medians))
    along = alt.X("from:Q", scale=x, title="alpha", axis=alt.Axis(grid=False, tickCount=round(high - low)))
    up = alt.Y("top:Q", scale=y, axis=None)
    foot = alt.Y2("foot:Q")
    return alt.LayerSpec(
        layer=[
            band.mark_rect(color=STAND_IN["band"], clip=True).encode(x=along, x2=alt.X2("to:Q")),
            label.mark_rule(color=STAND_IN["line"]).encode(y=alt.Y("line:Q", scale=y, axis=None)),
            bar.mark_rect(
                fill=STAND_IN["muted"], fillOpacity=0.45, stroke=STAND_IN["paper"], strokeWidth=1
            ).encode(x=along, x2=alt.X2("to:Q"), y=up, y2=foot),
            outline.mark_line(stroke=STAND_IN["accent"], strokeWidth=1.8, interpolate="step-after").encode(
                x=alt.X("from:Q", scale=x), y=up, detail=alt.Detail("model:N")
            ),
            middle.mark_rule(color=STAND_IN["ink"], strokeWidth=1.2, strokeDash=[4, 3]).encode(
                x=alt.X("median:Q", scale=x), y=up, y2=foot
            ),
            label.mark_text(
                align="left", baseline="top", dy=3, fontSize=12.5, fontWeight=600, color=STAND_IN["ink"]
            ).encode(x=at_x(0), y=alt.Y("line:Q", scale=y), text=alt.Text("name:N")),
            label.mark_text(align="right", baseline="top", dy=4, fontSize=11, color=STAND_IN["muted"]).encode(
                x=at_x(width - 16), y=alt.Y("line:Q", scale=y), text=alt.Text("n:N")
            ),
        ],
        width=width - 16,
        height=LINE * len(models),
    )


def counted(row: WeightRow) -> float | None:
    """Return the row's alpha if it counts in a model's histogram, else None."""
    found = alpha(row)
    return None if found is None or row.part == "delta" or row.role in SET_ASIDE else min(found, LIMIT)


def _shares(alphas: Sequence[float]) -> dict[float, float]:
    """Return the start of each non-empty bin and its share of layers; the last bin also holds all larger alphas."""
    bins = Counter(min(floor(alpha / BIN) * BIN, LIMIT - BIN) for alpha in alphas)
    return {start: bins[start] / len(alphas) for start in sorted(bins)}


def _outline(
    shares: dict[float, float], line: int, most: float, low: float, high: float
) -> list[dict[str, float]]:
    if not shares:
        return []
    starts = [low + BIN * place for place in range(round((high - low) / BIN))]
    tops = [*(shares.get(start, 0.0) for start in starts), 0.0]
    return [
        {"from": start, "top": line - BARS * top / most}
        for start, top in zip([*starts, high], tops, strict=True)
    ]


def _counts(spread: dict[tuple[str, str], list[float]], name: str) -> str:
    own = spread[name, "W"]
    return f"median {words.number(median(own), 2)}, n = {len(own)}" if own else ""
