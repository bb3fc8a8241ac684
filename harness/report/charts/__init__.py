"""One chart a file, data in and an Altair specification out; this file draws them.

Specifications name colours by stand-ins that no palette would hold. After drawing they become CSS variables in a page
and plain colours in a file, so that one drawing serves light and dark.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import altair as alt
import vl_convert

from harness.report import words

WIDE, NARROW = 860, 340  # pixels: a desk's column and a phone's

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
SERIES = tuple(STAND_IN[name] for name in LIGHT if re.fullmatch(r"c\d", name))
FONT = "Liberation Sans"  # what text is measured with; vl-convert carries it, and Arial and Helvetica share its widths

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

Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.ConcatChart


@dataclass(frozen=True, slots=True)
class Data:
    """The tables that a chart draws from, kept beside it: Altair copies what is inside a chart at every layer."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, values: Sequence[Mapping[str, object]]) -> alt.NamedData:
        name = f"table-{len(self.tables)}"
        self.tables[name] = [
            {key: words.visible(value) if isinstance(value, str) else value for key, value in one.items()}
            for one in values
        ]
        return alt.NamedData(name=name)


def draw(chart: Chart, data: Data, says: str, name: str) -> str:
    """The chart as SVG with stand-in colours; `says` is read out in its place, `name` keeps its ids apart in a page."""
    spec = chart.to_dict(validate=False)
    spec |= {"config": CONFIG, "datasets": data.tables}
    svg: str = vl_convert.vegalite_to_svg(spec)
    ids = {one: f"{name}-{place}" for place, one in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = re.sub("<[^>]+>", lambda tag: _slimmed(tag[0], ids), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(says)} ', 1)


# Vega counts its ids through all drawings of a process.
_ID = re.compile(r'(?<=id=")[^"]+(?=")')


def _slimmed(tag: str, ids: Mapping[str, str]) -> str:
    """A tag without what only Vega's own runtime reads, and with coordinates to a hundredth of a pixel."""
    tag = re.sub(r' (?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"', "", tag)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), tag)
    return re.sub(r'(?<=id=")[^"]+|(?<=url\(#)[^)]+', lambda found: ids.get(found[0], found[0]), tag)


def in_page(svg: str) -> str:
    """Coloured by the page's variables, in the page's font."""
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(f'"{stand_in}"', f'"var(--{name})"')
    return svg.replace(f' font-family="{FONT}"', "")


def in_file(svg: str, palette: Palette) -> str:
    """With colours of its own, for a file that an <img> shows."""
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(f'"{stand_in}"', f'"{palette[name]}"')
    return svg.replace(f'font-family="{FONT}"', 'font-family="system-ui, Helvetica, Arial, sans-serif"')
