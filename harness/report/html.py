"""The page as one HTML file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report import charts, weighed, words
from harness.report.figures import Figures, WeightFigures
from harness.report.page import Page

LONGEST = 4_000  # characters of one text that the page shows


def write(page: Page, figures: Figures, folder: Path) -> None:
    """report.html in the folder."""
    (folder / "report.html").write_text(render(page, figures), encoding="utf-8")


def render(page: Page, figures: Figures) -> str:
    return _filled("report.html.j2", figures.weights, page=page, figures=figures)


def render_weights(
    section: weighed.WeightSection, figures: WeightFigures, title: str, columns: Sequence[str], command: str
) -> str:
    """A page of weights alone; `columns` are the numbers that its table of layers shows."""
    return _filled(
        "weigh.html.j2",
        figures,
        section=section,
        figures=figures,
        title=title,
        columns=columns,
        command=command,
    )


def document(template: str, content: Mapping[str, object]) -> str:
    """A whole page from the template of that name, in the reports' style."""
    return _filled(template, None, **content)


def _filled(template: str, drawn: WeightFigures | None, **content: object) -> str:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(words=words, weighed=weighed)
    environment.filters["svg"] = lambda drawing: Markup(charts.in_page(drawing))  # noqa: S704  Vega escapes its texts
    environment.filters["text"] = lambda text: words.shorten(text, LONGEST)
    style = _variables() + environment.get_template("report.css.j2").render() + _picks(drawn)
    return environment.get_template(template).render(
        style=Markup(style),  # noqa: S704  our own
        policy=f"default-src 'none'; style-src '{_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'",
        **content,
    )


def _picks(drawn: WeightFigures | None) -> str:
    """What a choice in a list does to its chart: a rule for each place in the longest list, and no script."""
    most = max((len(one.options) for one in drawn.spectra.values()), default=0) if drawn else 0
    rule = ".pick:has(option:nth-child({n}):checked) .n{n}{{visibility:visible}}\n"
    return "".join(rule.format(n=n) for n in range(1, most + 1))


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
