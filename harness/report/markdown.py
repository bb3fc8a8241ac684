"""The same story for a pull request: report.md, with its charts as SVG files beside it."""

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report import charts, words
from harness.report.figures import Figures
from harness.report.page import Page

LONGEST = 600  # characters of one text that the file shows

# What Markdown, its tables, its mathematics and its automatic links give a meaning to.
_SPECIAL = re.compile(r"([\\`*_\[\]{}#!|~$@]|(?<=www)\.|:(?=//))")


def write(page: Page, figures: Figures, folder: Path) -> None:
    """report.md, and in charts/ each chart for light pages and for dark ones."""
    (folder / "charts").mkdir(exist_ok=True)
    for figure in figures.all():
        for ending, palette in (("", charts.LIGHT), ("-dark", charts.DARK)):
            path = folder / "charts" / f"{figure.name}{ending}.svg"
            path.write_text(charts.in_file(figure.wide, palette), encoding="utf-8")
    (folder / "report.md").write_text(render(page, figures), encoding="utf-8")


def render(page: Page, figures: Figures) -> str:
    environment = Environment(  # noqa: S701  `finalize` escapes every text, for Markdown and the HTML in it
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_escaped,
    )
    environment.globals["words"] = words
    environment.filters["text"] = lambda text: words.shorten(text, LONGEST)
    environment.filters["code"] = code
    return environment.get_template("report.md.j2").render(page=page, figures=figures)


def _escaped(value: object) -> object:
    return value if isinstance(value, Markup) or not isinstance(value, str) else Markup(escape_text(value))  # noqa: S704


def escape_text(text: str) -> str:
    """The text as one line of a Markdown table, shown as it is: lines become <br>."""
    plain = words.visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", plain)
    return "<br>".join(line.strip() for line in shown.strip().splitlines())


def code(text: str) -> Markup:
    """A block of code that no line of its text can end."""
    shown = words.visible(text)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return Markup(f"{fence}text\n{shown}\n{fence}")  # noqa: S704  a fenced block is text to its end
