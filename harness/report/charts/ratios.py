"""‖ΔW‖ / ‖W‖ as a heat map: a column for each depth, a line for each role; darker is larger."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, STAND_IN, Chart, Data, at_x, at_y, labels, to_x
from harness.report.charts.alphas import ROLES
from harness.types import WeightRow
from harness.weights.depth import Depths, depths

MOST = 12  # heat maps that are drawn: those with the largest updates
LABELS, ROW, WIDEST = 90, 24, 46  # pixels: roles' names, a cell's height, and its largest width
ROOM = 30  # pixels that a cell's number takes
FAINT, FULL = 0.06, 0.6  # opacity of the smallest and of the largest ratio: text stays readable on it
TITLE = 13  # font size

Ratios = dict[tuple[str, int], float]  # role and depth -> the largest of its layers there


def chart(rows: Sequence[WeightRow], data: Data, width: int) -> Chart:
    """Return a heat map for each base with an adapter, all on one scale."""
    maps = chosen(rows)
    most = max(ratio for _, _, ratios in maps for ratio in ratios.values())
    columns = max(_outer(places) for _, places, _ in maps)
    abreast = 2 if width > NARROW and len(maps) > 1 and columns <= 10 else 1
    panel = (width - 24 * (abreast - 1)) // abreast
    cell = min(WIDEST, (panel - LABELS - 4) / columns)
    panels = [_map(name, places, ratios, data, cell, most, panel) for name, places, ratios in maps]
    return alt.ConcatSpecGenericSpec(concat=panels, columns=abreast, spacing=24)


def chosen(rows: Sequence[WeightRow]) -> list[tuple[str, Depths, Ratios]]:
    """Return name, depths and ratios of each system with any, in the rows' order; of many, those with the largest."""
    names = list(dict.fromkeys((row.model, row.adapter) for row in rows if row.adapter))
    found = [
        (words.visible(f"{model} + {adapter}"), depths(_layers(rows, model)), ratios)
        for model, adapter in names
        if (ratios := _ratios(rows, model, adapter))
    ]
    largest = sorted(found, key=lambda heat_map: -max(heat_map[2].values()))[:MOST]
    return [heat_map for heat_map in found if heat_map in largest]


def _layers(rows: Sequence[WeightRow], model: str) -> list[tuple[str, str]]:
    return [(row.layer, row.role) for row in rows if row.model == model]


def _ratios(rows: Sequence[WeightRow], model: str, adapter: str | None) -> Ratios:
    places = depths(_layers(rows, model)).of
    found: Ratios = {}
    for row in rows:
        ratio = row.numbers.get("delta_ratio", 0.0 if row.status == "zero" else None)
        if (row.model, row.adapter, row.part) == (model, adapter, "delta") and ratio is not None:
            cell = row.role, places[row.layer]
            found[cell] = max(ratio, found.get(cell, 0.0))
    return found if any(found.values()) else {}


def _outer(places: Depths) -> int:
    """Return the number of columns, including those before and after all blocks if they are not empty."""
    return len(places.blocks) + (0 in places.of.values()) + (len(places.blocks) + 1 in places.of.values())


def _map(
    name: str, places: Depths, ratios: Ratios, data: Data, cell: float, most: float, panel: int
) -> Chart:
    used = {role for role, _ in ratios}
    roles = [role for role in ROLES if role in used] + sorted(used - {*ROLES})
    first = 0 if 0 in places.of.values() else 1
    count = _outer(places)
    cells = [
        {
            "from": depth - first,
            "to": depth - first + 1,
            "top": roles.index(role),
            "foot": roles.index(role) + 1,
            "across": depth - first + 0.5,
            "down": roles.index(role) + 0.5,
            "strength": FAINT + (FULL - FAINT) * ratio / most if ratio else 0.0,
            "percent": words.number(100 * ratio, 1 if ratio < 0.1 else 0),
        }
        for (role, depth), ratio in ratios.items()
    ]
    every = max(1, round(ROOM / cell))
    below = [
        {"at": depth - first + 0.5, "label": places.label(depth)}
        for depth in range(1, len(places.blocks) + 1)
        if (depth - 1) % every == 0
    ]
    x = alt.Scale(domain=[0, count], nice=False, zero=False)
    y = alt.Scale(domain=[0, len(roles)], reverse=True, nice=False, zero=False)
    table = alt.Chart(data.add(cells))
    named = alt.Chart(data.add([{"at": place + 0.5, "label": role} for place, role in enumerate(roles)]))
    muted: dict[str, Any] = {"fontSize": 11.5, "color": STAND_IN["muted"]}
    height = ROW * len(roles)
    layers = [
        # Vega makes a drawing as wide as the font that it measures with needs: an unseen line has the room of any font.
        alt.Chart(data.add([{}]))
        .mark_rule(color="transparent")
        .encode(x=at_x(-LABELS), x2=to_x(cell * count), y=at_y(0)),
        table.mark_rect(fill=STAND_IN["accent"], stroke=STAND_IN["line"], strokeWidth=1).encode(
            x=alt.X("from:Q", scale=x, axis=None),
            x2=alt.X2("to:Q"),
            y=alt.Y("top:Q", scale=y, axis=None),
            y2=alt.Y2("foot:Q"),
            fillOpacity=alt.FillOpacity("strength:Q", scale=None, legend=None),
        ),
        named.mark_text(align="right", baseline="middle", **muted).encode(
            x=at_x(-8), y=alt.Y("at:Q", scale=y), text=alt.Text("label:N")
        ),
        alt.Chart(data.add(below))
        .mark_text(baseline="top", **muted)
        .encode(x=alt.X("at:Q", scale=x), y=at_y(height + 5), text=alt.Text("label:N")),
    ]
    if cell >= ROOM:
        layers.append(
            table.mark_text(baseline="middle", fontSize=11.5, color=STAND_IN["ink"]).encode(
                x=alt.X("across:Q", scale=x), y=alt.Y("down:Q", scale=y), text=alt.Text("percent:N")
            )
        )
    largest = f", up to {words.number(100 * max(ratios.values()), 1)} %"
    room = panel - labels.BOLD * labels.wide(largest, TITLE)
    return alt.LayerSpec(
        layer=layers,
        width=cell * count,
        height=height,
        title=labels.fit(name, room, TITLE, bold=True) + largest,
    )
