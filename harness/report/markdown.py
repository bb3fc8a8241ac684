"""The report as Markdown for a pull request: report.md, with its charts as SVG files beside it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as html_escape

from harness import text as words
from harness.report.chosen import answered
from harness.results import ours

if TYPE_CHECKING:  # fast commands write pages without charts and must not import altair
    from harness.report.answer import Sentence
    from harness.report.figures import Figure, Figures
    from harness.report.page import Page

LONGEST = 600  # characters of one text in the file

# Characters with a meaning in Markdown, its mathematics and its automatic links, and to GitHub's runner if a file is printed
# (`::error::`). An underscore between letters has no meaning.
_SPECIAL = re.compile(r"[\\`*\[\]#~$]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.|:(?=//|:)")
_MENTION = re.compile(r"@(?=\w)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})


def write(page: "Page", figures: "Figures", folder: Path) -> None:
    """Write report.md, and into charts/ each chart in a light and a dark version."""
    write_charts(figures.all(), folder)
    ours.make_room(folder, Path("report.md"))
    ours.replace(folder / "report.md", ours.sealed(render(page, figures)))


def write_charts(figures: "Iterable[Figure]", folder: Path) -> None:
    """Write the charts into charts/, where `picture` expects them."""
    from harness.report import charts

    drawn = ours.real_folder(folder / "charts")
    for figure in figures:
        for ending, palette in (("", charts.LIGHT), ("-dark", charts.DARK)):
            ours.make_room(folder, Path("charts", f"{figure.name}{ending}.svg"))
            ours.replace(drawn / f"{figure.name}{ending}.svg", charts.in_file(figure.wide, palette))


def render(page: "Page", figures: "Figures") -> str:
    """Return the text of report.md."""
    from harness.report import verdicts, weighed
    from harness.report.charts import WIDE, cost_panels

    # A file has the wide charts only.
    keys = {
        task.facts.name: cost_panels.key(task) for task in page.tasks if cost_panels.has_numbers(task, WIDE)
    }
    shown = {"page": page, "figures": figures, "weighed": weighed, "verdicts": verdicts, "keys": keys}
    return document("report.md.j2", shown)


def document(name: str, shown: Mapping[str, object]) -> str:
    """Return a page made from the template of this name; every text in it is escaped."""
    environment = Environment(  # noqa: S701  `finalize` escapes every text, for Markdown and the HTML in it
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_escaped,
    )
    environment.globals["words"] = words
    environment.filters |= {
        "answered": answered,
        "text": _shortened,
        "code": code,
        "sentence": sentence,
        "picture": picture,
    }
    environment.filters["plain"] = Markup  # for our own numbers: brackets alone make no link
    return environment.get_template(name).render(**shown)


def _escaped(value: object) -> object:
    if value is None:
        return ""
    return value if isinstance(value, Markup) or not isinstance(value, str) else Markup(cell(value))  # noqa: S704


def _shortened(text: str) -> str:
    return words.shorten(text, LONGEST)


def inline(text: str) -> str:
    """Return the text escaped for one line of Markdown."""
    return _shown(" ".join(text.splitlines()))


def _shown(text: str) -> str:
    shown = _SPECIAL.sub(lambda found: "\\" + found[0], words.visible(text)).translate(_ENTITIES)
    return _MENTION.sub("@<!-- -->", shown)  # otherwise a pull request would notify people


def cell(text: str) -> str:
    """Return the text escaped for a table cell, with <br> for line ends."""
    return "<br>".join(line.strip() for line in _shown(text).strip().splitlines())


def sentence(spans: "Sentence") -> Markup:
    """Return a sentence with its emphasised spans in bold."""
    shown = ((inline(span.text), span.strong) for span in spans)
    return Markup("".join(f"**{text}**" if strong else text for text, strong in shown))  # noqa: S704  escaped above


def picture(figure: "Figure") -> Markup:
    """Return a picture element with both drawings; GitHub shows the one of the reader's theme."""
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="charts/{figure.name}-dark.svg">'
    says = html_escape(" ".join(words.visible(figure.says).split()))  # a blank line would end the HTML
    light = f'<img alt="{says}" src="charts/{figure.name}.svg">'
    return Markup(f"<picture>{dark}{light}</picture>")  # noqa: S704  escaped above


def remark(text: str) -> Markup:
    """Return an HTML comment, which Markdown does not show; nothing in the text can close it."""
    shown = " ".join(words.visible(text).split())
    return Markup(f"<!-- {shown.replace('>', '_')} -->")  # noqa: S704  a comment is text to its end


def code(text: str, language: str = "text") -> Markup:
    """Return a fenced block of code; no line of its text can end it."""
    shown = words.visible(text)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return Markup(f"{fence}{language}\n{shown}\n{fence}")  # noqa: S704  a fenced block is text to its end
