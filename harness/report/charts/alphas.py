"""Alpha of each layer before and after its adapter, and how large the update is beside the weights."""

from collections.abc import Sequence

import altair as alt

from harness.report import words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data
from harness.report.page import delta_ratio
from harness.types import WeightRow

HEIGHT, RATIO_HEIGHT, EXTENT = 120, 44, 26  # pixels; the extent is an axis' numbers
# Where Martin and Mahoney (2021, JMLR 22:165, section 4) find the layers of well-trained networks.
TYPICAL = (2.0, 6.0)
LIMIT = 12.0  # alphas above are drawn at the edge: a power law was no good fit there


def chart(rows: Sequence[WeightRow], data: Data, width: int) -> Chart:
    """A panel for each base: its layers in order, base hollow, merged filled, the update's share below."""
    models = list(dict.fromkeys(one.model for one in rows))
    adapters = list(dict.fromkeys(words.visible(one.adapter) for one in rows if one.adapter))
    columns = min(len(models), 1 if width <= NARROW else 2)
    panel = (width - 60 - 56 * (columns - 1)) // columns
    y = alt.Scale(domain=_domain(rows), nice=False, zero=False)
    panels = [
        _model([one for one in rows if one.model == model], data, adapters, y, panel) for model in models
    ]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=26, resolve=shared)


def _model(
    rows: Sequence[WeightRow], data: Data, adapters: Sequence[str], scale: alt.Scale, width: int
) -> Chart:
    layers = {one.layer: place for place, one in enumerate(_bases(rows), 1)}
    colour = alt.Color(
        "adapter:N",
        scale=alt.Scale(domain=list(adapters), range=list(SERIES)),
        legend=alt.Legend(title=None, symbolOpacity=1) if len(adapters) > 1 else None,
    )
    x = alt.X("place:Q", scale=alt.Scale(domain=[0, len(layers) + 1], nice=False), axis=None)
    return alt.VConcatSpecGenericSpec(
        vconcat=[
            alt.LayerSpec(
                layer=_alphas(rows, data, layers, x, scale, colour),
                width=width,
                height=HEIGHT,
                title=words.visible(rows[0].model),
            ),
            _ratios(rows, data, layers, x, colour).properties(width=width, height=RATIO_HEIGHT),
        ],
        spacing=12,
        bounds="flush",  # or the lower panel is shifted against the upper by the width of its numbers
    )


def _domain(rows: Sequence[WeightRow]) -> list[float]:
    """From the smallest to the largest alpha of all bases, with room for the dots."""
    shown = [
        min(one.numbers["alpha"], LIMIT) for one in rows if one.part != "delta" and "alpha" in one.numbers
    ]
    return [min(shown) - 0.3, max(shown) + 0.3]


def _bases(rows: Sequence[WeightRow]) -> list[WeightRow]:
    return [one for one in rows if one.part == "W"]


def _alphas(
    rows: Sequence[WeightRow],
    data: Data,
    layers: dict[str, int],
    x: alt.X,
    scale: alt.Scale,
    colour: alt.Color,
) -> list[alt.Chart]:
    base = {one.layer: one.numbers["alpha"] for one in _bases(rows) if "alpha" in one.numbers}
    before = [{"place": layers[name], "alpha": min(alpha, LIMIT)} for name, alpha in base.items()]
    after = [
        {
            "place": layers[one.layer],
            "adapter": words.visible(one.adapter or ""),
            "base": min(base[one.layer], LIMIT),
            "alpha": min(one.numbers["alpha"], LIMIT),
        }
        for one in rows
        if one.part == "merged"
        and one.layer in base
        and one.numbers.get("alpha", base[one.layer]) != base[one.layer]
    ]
    y = alt.Y(
        "alpha:Q", title="alpha", scale=scale, axis=alt.Axis(tickCount=4, minExtent=EXTENT, maxExtent=EXTENT)
    )
    band = alt.Chart(data.add([{"from": TYPICAL[0], "to": TYPICAL[1]}]))
    moved = alt.Chart(data.add(after))
    return [
        band.mark_rect(color=STAND_IN["band"], clip=True).encode(y=alt.Y("from:Q"), y2=alt.Y2("to:Q")),
        moved.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("base:Q"), y2=alt.Y2("alpha:Q"), color=colour),
        alt.Chart(data.add(before))
        .mark_point(size=28, opacity=1, fill=STAND_IN["paper"], stroke=STAND_IN["muted"], strokeWidth=1.3)
        .encode(x=x, y=y),
        moved.mark_point(size=22, opacity=1, filled=True).encode(x=x, y=y, color=colour),
    ]


def _ratios(
    rows: Sequence[WeightRow], data: Data, layers: dict[str, int], x: alt.X, colour: alt.Color
) -> alt.Chart:
    values = [
        {"place": layers[one.layer], "ratio": 100 * ratio, "adapter": words.visible(one.adapter or "")}
        for one in rows
        if one.layer in layers and (ratio := delta_ratio(one)) is not None
    ]
    axis = alt.Axis(tickCount=2, minExtent=EXTENT, maxExtent=EXTENT)
    y = alt.Y("ratio:Q", title="ΔW, %", axis=axis, scale=alt.Scale(zero=True))
    # Rules and not bars: a bar chart pads its scale, and each update would stand beside its layer.
    bars = alt.Chart(data.add(values)).mark_rule(strokeWidth=3, opacity=0.8)
    drawn: alt.Chart = bars.encode(x=x, y=y, y2=alt.Y2Datum(0), color=colour)
    return drawn
