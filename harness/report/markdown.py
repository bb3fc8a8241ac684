"""The same story for a pull request: report.md, with its charts as SVG files beside it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as html_escape

from harness import text as words
from harness.results import ours

if TYPE_CHECKING:  # pages without charts are written by light commands, which cannot wait for altair
    from harness.report.answer import Sentence
    from harness.report.figures import Figure, Figures
    from harness.report.page import Page

LONGEST = 600  # characters of one text that the file shows

# What Markdown, its mathematics and its automatic links give a meaning to, and GitHub's runner where a file is printed
# (`::error::`). An underscore between letters has none.
_SPECIAL = re.compile(r"[\\`*\[\]#~$]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.|:(?=//|:)")
_MENTION = re.compile(r"@(?=\w)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})


def write(page: "Page", figures: "Figures", folder: Path) -> None:
    """report.md, and in charts/ each chart for light pages and for dark ones."""
    write_charts(figures.all(), folder)
    ours.make_room(folder, Path("report.md"))
    ours.replace(folder / "report.md", render(page, figures))


def write_charts(figures: "Iterable[Figure]", folder: Path) -> None:
    """In charts/, where `picture` looks for them."""
    from harness.report import charts

    drawn = ours.real_folder(folder / "charts")
    for figure in figures:
        for ending, palette in (("", charts.LIGHT), ("-dark", charts.DARK)):
            ours.make_room(folder, Path("charts", f"{figure.name}{ending}.svg"))
            ours.replace(drawn / f"{figure.name}{ending}.svg", charts.in_file(figure.wide, palette))


def render(page: "Page", figures: "Figures") -> str:
    from harness.report import verdicts, weighed

    shown = {"page": page, "figures": figures, "weighed": weighed, "told": verdicts}
    return document("report.md.j2", shown)


def document(name: str, shown: Mapping[str, object]) -> str:
    """A whole page from the template of that name; every text in it is escaped."""
    environment = Environment(  # noqa: S701  `finalize` escapes every text, for Markdown and the HTML in it
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_escaped,
    )
    environment.globals["words"] = words
    environment.filters |= {"text": _shortened, "code": code, "sentence": sentence, "picture": picture}
    environment.filters["plain"] = Markup  # for our own numbers: brackets alone are no link
    return environment.get_template(name).render(**shown)


def _escaped(value: object) -> object:
    if value is None:
        return ""
    return value if isinstance(value, Markup) or not isinstance(value, str) else Markup(cell(value))  # noqa: S704


def _shortened(text: str) -> str:
    return words.shorten(text, LONGEST)


def inline(text: str) -> str:
    """The text shown as it is within a line of Markdown, which it does not end."""
    return _shown(" ".join(text.splitlines()))


def _shown(text: str) -> str:
    shown = _SPECIAL.sub(lambda found: "\\" + found[0], words.visible(text)).translate(_ENTITIES)
    return _MENTION.sub("@<!-- -->", shown)  # or a pull request would call people


def cell(text: str) -> str:
    """The text shown as it is in a table, where a line cannot end: it breaks."""
    return "<br>".join(line.strip() for line in _shown(text).strip().splitlines())


def sentence(spans: "Sentence") -> Markup:
    shown = ((inline(span.text), span.strong) for span in spans)
    return Markup("".join(f"**{text}**" if strong else text for text, strong in shown))  # noqa: S704  escaped above


def picture(figure: "Figure") -> Markup:
    """Both drawings; GitHub shows the one of the reader's theme."""
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="charts/{figure.name}-dark.svg">'
    says = html_escape(" ".join(words.visible(figure.says).split()))  # a blank line would end the HTML
    light = f'<img alt="{says}" src="charts/{figure.name}.svg">'
    return Markup(f"<picture>{dark}{light}</picture>")  # noqa: S704  escaped above


def code(text: str, language: str = "text") -> Markup:
    """A block of code that no line of its text can end."""
    shown = words.visible(text)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return Markup(f"{fence}{language}\n{shown}\n{fence}")  # noqa: S704  a fenced block is text to its end
