"""The page as one HTML file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report import charts, words
from harness.report.figures import Figures
from harness.report.page import Page

LONGEST = 4_000  # characters of one text that the page shows


def write(page: Page, figures: Figures, folder: Path) -> None:
    """report.html in the folder."""
    (folder / "report.html").write_text(render(page, figures), encoding="utf-8")


def render(page: Page, figures: Figures) -> str:
    return document("report.html.j2", {"page": page, "figures": figures})


def document(name: str, shown: Mapping[str, object]) -> str:
    """A whole page from the template of that name, in the reports' style."""
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["words"] = words
    environment.filters["svg"] = lambda drawing: Markup(charts.in_page(drawing))  # noqa: S704  Vega escapes its texts
    environment.filters["text"] = lambda text: words.shorten(text, LONGEST)
    template = environment.get_template(name)
    style = _variables() + template.environment.get_template("report.css.j2").render()
    return template.render(
        **shown,
        style=Markup(style),  # noqa: S704  our own
        policy=f"default-src 'none'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'",
    )


def _shown(value: object) -> object:
    """Every text that reaches the page shows what would otherwise vanish or reorder it."""
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _variables() -> str:
    """The charts' palettes as CSS variables; the reader's system chooses."""

    def block(palette: charts.Palette) -> str:
        return "".join(f"--{name}:{value};" for name, value in palette.items())

    light, dark = block(charts.LIGHT), block(charts.DARK)
    return f":root{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
