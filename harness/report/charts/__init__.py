"""Charts, one per file: data in, an Altair specification out.

Specifications use stand-in colours that no palette contains. After drawing they become CSS variables in a page
and plain colours in a file, so that one drawing serves light and dark.

Single marks are Altair charts. They are joined by Altair's schema classes and not by `alt.layer` or `alt.concat`, which
copy their content several times: that took nine tenths of the time of making a specification. A constant position is
`at_x` and not `alt.value`, whose type takes Altair 5 ms to look up.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt
from altair.utils.schemapi import debug_mode

from harness import text as words

TIP = "tip: "  # prefix of a mark's description that becomes its title (tooltip)
WIDE, NARROW = 860, 340  # pixels: the column's width on a desktop and on a phone

Palette = Mapping[str, str]

LIGHT: Palette = {
    "ink": "#1d1d1f",
    "muted": "#6a6a70",
    "line": "#dddcd7",
    "paper": "#fdfdfc",
    "band": "#eef3f8",
    "accent": "#1c5fae",
    "warm": "#b6451c",
    "c1": "#1c5fae",
    "c2": "#b6451c",
    "c3": "#2a7f62",
    "c4": "#8a4fa3",
    "c5": "#a07a00",
    "c6": "#4d6b8a",
}
DARK: Palette = {
    "ink": "#ececea",
    "muted": "#a0a0a6",
    "line": "#38383d",
    "paper": "#161618",
    "band": "#1d2632",
    "accent": "#86b6f4",
    "warm": "#f0936f",
    "c1": "#86b6f4",
    "c2": "#f0936f",
    "c3": "#77c9a8",
    "c4": "#c79adb",
    "c5": "#d8b54a",
    "c6": "#a3bbd3",
}
STAND_IN = {name: f"#0{index:x}0d0{index:x}" for index, name in enumerate(LIGHT)}
# In a chart whose layers can be picked: the kind of line, whether it is picked by default, and the layer's number.
_PICKED = re.compile(r'stroke="#0([def])([01])([0-9a-f]{3})"')
_KINDS = {"spectrum": "d", "fit": "e", "merged": "f"}
Kind = Literal["spectrum", "fit", "merged"]
SERIES = tuple(STAND_IN[name] for name in LIGHT if re.fullmatch(r"c\d", name))
FONT = "Liberation Sans"  # text is measured with it; vl-convert includes it, and Arial and Helvetica have its widths

CONFIG: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": STAND_IN["line"],
        "labelColor": STAND_IN["muted"],
        "titleColor": STAND_IN["muted"],
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelPadding": 6,
        "titlePadding": 8,
    },
    "title": {"anchor": "start", "color": STAND_IN["ink"], "fontSize": 13, "fontWeight": 600, "offset": 8},
    "legend": {
        "labelColor": STAND_IN["ink"],
        "titleColor": STAND_IN["muted"],
        "labelFontSize": 12,
        "titleFontWeight": "normal",
        "orient": "bottom",
    },
}

Chart = alt.LayerSpec | alt.VConcatSpecGenericSpec | alt.ConcatSpecGenericSpec


@dataclass(frozen=True, slots=True)
class Data:
    """The tables of a chart, kept outside it because Altair copies a chart's data at every layer."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, values: Sequence[Mapping[str, object]]) -> alt.NamedData:
        """Add a table; return the reference by which a mark uses it."""
        name = f"table-{len(self.tables)}"
        self.tables[name] = [
            {key: words.visible(value) if isinstance(value, str) else value for key, value in row.items()}
            for row in values
        ]
        return alt.NamedData(name=name)


def at_x(pixels: float) -> alt.XValue:
    """Return a constant horizontal position."""
    return alt.XValue(pixels)  # type: ignore[no-untyped-call]


def to_x(pixels: float) -> alt.X2Value:
    """Return a constant horizontal position of a mark's other end."""
    return alt.X2Value(pixels)  # type: ignore[no-untyped-call]


def at_y(pixels: float) -> alt.YValue:
    """Return a constant vertical position."""
    return alt.YValue(pixels)  # type: ignore[no-untyped-call]


def specification(make: Callable[[Data, int], Chart], width: int) -> dict[str, Any]:
    """Return the chart as Vega-Lite JSON.

    Altair validates each part as it is made, which takes half of its time, and mistakes the parts of these charts for
    whole charts: validation is off here, and the tests check the specifications against Vega-Lite's schema.
    """
    data = Data()
    with debug_mode(False):
        spec: dict[str, Any] = make(data, width).to_dict(
            validate=False, context={"top_level": False, "datasets": {}}
        )
    return {"$schema": alt.SCHEMA_URL, **spec, "config": dict(CONFIG), "datasets": data.tables}


def picked(kind: Kind, number: int, first: bool) -> str:
    """Return the stand-in colour of a line that is shown only if picked; `first`: it is picked by default."""
    return f"#0{_KINDS[kind]}{first:d}{number:03x}"


def in_page(svg: str) -> str:
    """Return the SVG for a page: with its CSS variables and font; lines that can be picked have a class and a number."""
    kinds = {letter: kind for kind, letter in _KINDS.items()}
    svg = _PICKED.sub(
        lambda at: f'class="{kinds[at[1]]}{" first" if at[2] == "1" else ""} n{int(at[3], 16)}"', svg
    )
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(f'"{stand_in}"', f'"var(--{name})"')
    return svg.replace(f' font-family="{FONT}"', "")


def in_file(svg: str, palette: Palette) -> str:
    """Return the SVG for a file of its own: with a palette's colours, and only the default pick visible."""
    chosen = {"d": palette["accent"], "e": palette["accent"], "f": palette["warm"]}
    svg = _PICKED.sub(lambda at: f'stroke="{chosen[at[1]] if at[2] == "1" else "none"}"', svg)
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(f'"{stand_in}"', f'"{palette[name]}"')
    return svg.replace(f'font-family="{FONT}"', 'font-family="system-ui, Helvetica, Arial, sans-serif"')
