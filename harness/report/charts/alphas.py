"""Alpha of each layer by role and depth: of the base, merged with its adapter, and of the update itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data, at_y, labels
from harness.types import WeightRow
from harness.weights.depth import Depths, depths
from harness.weights.summary import OVER_TRAINED, UNDER_TRAINED, alpha

# Pixels: a panel's height, the axis with its title, the axis' numbers, and the space between panels.
HEIGHT, AXIS, EXTENT, BETWEEN = 116, 52, 26, 26
GAP, WIDER = 1.5, 0.12  # space between two roles: in layers' widths, and as a share of many layers
DENSE = 64  # positions on the axis that half of a wide page has room for
ABREAST = 3  # roles side by side on a phone
LIMIT = 12.0  # larger alphas are drawn at the edge: the power law does not fit there
ROLES = ("q", "k", "v", "o", "qkv", "feed-forward", "head", "embedding", "other")


def chart(rows: Sequence[WeightRow], data: Data, width: int) -> Chart:
    """Return a panel for each base, with its roles side by side and each role's layers from input to output."""
    shown = [row for row in rows if alpha(row) is not None]
    models = [_model(shown, rows, name) for name in dict.fromkeys(row.model for row in shown)]
    most = max(len(model.roles) * model.span for model in models)
    columns = 2 if width > NARROW and len(models) > 1 and most <= DENSE else 1
    adapters = list(dict.fromkeys(words.visible(row.adapter) for row in shown if row.adapter))
    alphas = [_drawn(row) for row in shown]
    frame = Frame(
        width=(width - BETWEEN * (columns - 1)) // columns - AXIS,
        y=alt.Scale(domain=[min(alphas) - 0.3, max(alphas) + 0.3], nice=False, zero=False),
        colour=_colour(adapters),
    )
    panels = [
        _panel(model, roles, data, frame, titled=not place)
        for model in models
        for place, roles in enumerate(_lines(model.roles, width))
    ]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=BETWEEN, resolve=shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Settings that all panels share."""

    width: int  # pixels
    y: alt.Scale
    colour: alt.Color | alt.ColorValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPanel:
    """A base with its adapters: the content of a panel."""

    name: str
    rows: tuple[WeightRow, ...]  # rows with an alpha
    roles: tuple[str, ...]
    depths: Depths
    # Layer -> offset from the middle of its block, since several layers may share a role.
    shifts: Mapping[str, float]

    @property
    def span(self) -> float:
        """Return a role's width on the axis, in layers' widths."""
        n = len(self.depths.blocks)
        return n + max(GAP, WIDER * n)


def _model(shown: Sequence[WeightRow], rows: Sequence[WeightRow], name: str) -> ModelPanel:
    own = tuple(row for row in shown if row.model == name)
    roles = {row.role for row in own}
    found = depths((row.layer, row.role) for row in rows if row.model == name)
    cells: dict[tuple[str, int], list[str]] = {}
    for layer, role in dict.fromkeys((row.layer, row.role) for row in own):
        cells.setdefault((role, found.of[layer]), []).append(layer)
    shifts = {
        layer: (place - (len(layers) - 1) / 2) * 0.6 / len(layers)
        for layers in cells.values()
        for place, layer in enumerate(layers)
    }
    known = tuple(role for role in ROLES if role in roles)
    return ModelPanel(
        name=name, rows=own, roles=known + tuple(sorted(roles - {*known})), depths=found, shifts=shifts
    )


def _lines(roles: tuple[str, ...], width: int) -> list[tuple[str, ...]]:
    """Return the roles of each line: all on one line, on a phone a few per line."""
    each = len(roles) if width > NARROW else ABREAST
    return [roles[start : start + each] for start in range(0, len(roles), each)]


def _colour(adapters: Sequence[str]) -> alt.Color | alt.ColorValue:
    """Return a colour for each adapter, or one for all if there are too many."""
    if not 1 < len(adapters) <= len(SERIES):
        return alt.ColorValue(STAND_IN["accent"])
    legend = alt.Legend(title=None, symbolOpacity=1, symbolType="circle")
    return alt.Color("adapter:N", scale=alt.Scale(domain=list(adapters), range=list(SERIES)), legend=legend)


def _drawn(row: WeightRow) -> float:
    return min(row.numbers["alpha"], LIMIT)


def _panel(model: ModelPanel, roles: tuple[str, ...], data: Data, frame: Frame, *, titled: bool) -> Chart:
    starts = {role: place * model.span for place, role in enumerate(roles)}
    end = len(roles) * model.span
    x = alt.X("place:Q", scale=alt.Scale(domain=[0, end], nice=False, zero=False), axis=None)
    y = alt.Y(
        "alpha:Q",
        title="alpha",
        scale=frame.y,
        axis=alt.Axis(tickCount=4, minExtent=EXTENT, maxExtent=EXTENT),
    )
    marks = _marks(model, starts)
    band = alt.Chart(data.add([{"from": OVER_TRAINED, "to": UNDER_TRAINED}]))
    moved, base, update = (
        alt.Chart(data.add([mark for mark in marks if mark["part"] == part]))
        for part in ("merged", "W", "delta")
    )
    return alt.LayerSpec(
        layer=[
            band.mark_rect(color=STAND_IN["band"], clip=True).encode(
                y=alt.Y("from:Q", scale=frame.y, title="alpha"), y2=alt.Y2("to:Q")
            ),
            *_grid(model.depths, starts, data, x),
            moved.mark_rule(strokeWidth=1.5).encode(
                x=x, y=alt.Y("base:Q"), y2=alt.Y2("alpha:Q"), color=frame.colour
            ),
            base.mark_point(
                size=26, opacity=1, fill=STAND_IN["paper"], stroke=STAND_IN["muted"], strokeWidth=1.3
            ).encode(x=x, y=y),
            moved.mark_point(size=22, opacity=1, filled=True).encode(x=x, y=y, color=frame.colour),
            update.mark_point(size=30, opacity=1, filled=True, shape="triangle-up").encode(
                x=x, y=y, color=frame.colour
            ),
        ],
        width=frame.width,
        height=HEIGHT,
        title=labels.fit(words.visible(model.name), frame.width, 13, bold=True) if titled else alt.Undefined,
    )


def _marks(model: ModelPanel, starts: Mapping[str, float]) -> list[dict[str, object]]:
    """Return a dot for each layer of these roles; a layer that the adapter leaves unchanged has only the base's dot."""
    base = {row.layer: _drawn(row) for row in model.rows if row.part == "W"}
    return [
        {
            "part": row.part,
            "place": starts[row.role] + model.depths.of[row.layer] + model.shifts[row.layer],
            "alpha": _drawn(row),
            "base": base.get(row.layer, _drawn(row)),
            "adapter": words.visible(row.adapter or ""),
        }
        for row in model.rows
        if row.role in starts and not (row.part == "merged" and base.get(row.layer) == _drawn(row))
    ]


def _grid(depths: Depths, starts: Mapping[str, float], data: Data, x: alt.X) -> list[alt.Chart]:
    """Return a line and a name for each role, and labels of the first and the last depth."""
    n = len(depths.blocks)
    roles = alt.Chart(data.add([{"place": start, "label": role} for role, start in starts.items()]))
    ends = [
        {"place": start + depth, "label": depths.label(depth)}
        for start in starts.values()
        for depth in sorted({1, n} if n else set())
    ]
    small: dict[str, Any] = {"fontSize": 11, "color": STAND_IN["muted"]}
    return [
        roles.mark_rule(color=STAND_IN["line"]).encode(x=x),
        roles.mark_text(align="left", baseline="bottom", dx=1, **small).encode(
            x=x, y=at_y(-7), text=alt.Text("label:N")
        ),
        alt.Chart(data.add(ends))
        .mark_text(baseline="top", **small)
        .encode(x=x, y=at_y(HEIGHT + 4), text=alt.Text("label:N")),
    ]
