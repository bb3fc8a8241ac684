"""The page as one HTML file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness import text as words
from harness.report import charts, explorer, verdicts, weighed
from harness.report.explorer import Book, Leaf, Plain
from harness.report.figures import Figures, WeightFigures
from harness.report.page import Page
from harness.results import ours

LONGEST = 4_000  # characters of one text that the page shows
FIRST = "theme.js"  # runs in the head: a page must not show one theme and turn to another
SCRIPTS = ("page.js", "difference.js", "explorer.js")  # one script, in this order


def write(page: Page, figures: Figures, folder: Path, book: Book | None = None) -> None:
    """report.html in the folder, and where the samples don't fit into it, samples/*.html."""
    leaves: list[Leaf] = []
    samples = folder / "samples"
    for leaf in book.leaves if book else ():
        place = ours.real_folder(samples) / Path(leaf.name).name
        ours.make_room(folder, place.relative_to(folder))
        ours.replace(place, document("samples.html.j2", {"page": page, "leaf": leaf}))
        leaves.append(Leaf(name=leaf.name, says=leaf.says, data={}))  # its texts can go
    if book:
        book.index["leaves"] = [leaf.name for leaf in leaves] or None
    ours.make_room(folder, Path("report.html"))
    ours.replace(folder / "report.html", render(page, figures, book.index if book else None, leaves))
    _remove_others(folder, {leaf.name for leaf in leaves})


def _remove_others(folder: Path, written: Collection[str]) -> None:
    """Remove the pages of samples of a report that had more."""
    samples = folder / "samples"
    if samples.is_symlink():
        samples.unlink()
    for path in list(samples.iterdir()) if samples.is_dir() else ():
        inside = path.relative_to(folder)
        if inside.as_posix() not in written and ours.is_ours(folder, inside):
            path.unlink()
    with suppress(OSError):  # it is not there, or holds something of its user's
        samples.rmdir()


def render(page: Page, figures: Figures, samples: Plain | None = None, leaves: Sequence[Leaf] = ()) -> str:
    """`samples` is what the explorer shows, `leaves` the pages that hold their texts, where those are many."""
    return _filled(
        "report.html.j2", figures.weights, page=page, figures=figures, samples=samples, leaves=leaves
    )


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


def document(template: str, content: Mapping[str, object], scripts: Sequence[str] = SCRIPTS) -> str:
    """A whole page from the template of that name, in the reports' style."""
    return _filled(template, None, scripts, **content)


def _filled(
    template: str, drawn: WeightFigures | None, scripts: Sequence[str] = SCRIPTS, **content: object
) -> str:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(words=words, weighed=weighed, told=verdicts, sample_link=explorer.sample_link)
    environment.filters["svg"] = lambda drawing: Markup(charts.in_page(drawing))  # noqa: S704  Vega escapes its texts
    environment.filters["text"] = lambda text: words.shorten(text, LONGEST)
    environment.filters["data"] = lambda data: Markup(explorer.script_data(data))  # noqa: S704  cannot end its element
    style = _variables() + environment.get_template("report.css.j2").render() + _picks(drawn)
    first, script = _script(FIRST), _script(*scripts)
    return environment.get_template(template).render(
        style=Markup(style),  # noqa: S704  our own
        first_script=Markup(first),  # noqa: S704  our own
        script=Markup(script),  # noqa: S704  our own
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(first)}' '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        **content,
    )


def _script(*names: str) -> str:
    """The files of those names as one script, which runs in strict mode and leaves no name behind."""
    folder = files("harness.report") / "templates"
    parts = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def _picks(drawn: WeightFigures | None) -> str:
    """What a choice in a list does to its chart: a rule for each place in the longest list, and no script."""
    most = max((len(one.options) for one in drawn.spectra.values()), default=0) if drawn else 0
    rule = ".pick:has(option:nth-child({n}):checked) .n{n}{{visibility:visible}}\n"
    return "".join(rule.format(n=n) for n in range(1, most + 1))


def _shown(value: object) -> object:
    """Every text that reaches the page shows what would otherwise vanish or reorder it; what is not there is nothing."""
    if value is None:
        return ""
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _variables() -> str:
    """The charts' palettes as CSS variables; the reader's system chooses, unless the reader does."""

    def block(palette: charts.Palette) -> str:
        return "".join(f"--{name}:{value};" for name, value in palette.items())

    light, dark = block(charts.LIGHT), block(charts.DARK)
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-theme=light]{{color-scheme:light}}:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )
