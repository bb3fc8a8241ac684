"""The report as one HTML file that loads nothing from a network."""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness import text as words
from harness.report import charts, explorer, verdicts, weighed
from harness.report.charts import cost_panels
from harness.report.chosen import answered
from harness.report.explorer import Book, Leaf, Plain
from harness.report.figures import Figures, WeightFigures
from harness.report.page import Page
from harness.results import ours

LONGEST = 4_000  # characters of one text in the page
FEW_TASKS = 3  # with more, only the first task's tables and charts are open in a section
FIRST = "theme.js"  # runs in the head, so that the page does not flash in the other theme
SCRIPTS = (  # one script, in this order
    *("page.js", "contents.js", "difference.js", "samples.js", "csv.js", "sample.js", "explorer.js"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NavLink:
    """A link of the menu that the pages of a site share."""

    address: str  # seen from the page
    text: str
    here: bool = False  # the page is this one

    def from_below(self) -> "NavLink":
        """Return the link as seen from a folder beside the page."""
        return replace(self, address=f"../{self.address}")


Nav = Sequence[NavLink]


def write(page: Page, figures: Figures, folder: Path, book: Book | None = None, nav: Nav = ()) -> None:
    """Write report.html into the folder, and samples/*.html if the samples do not fit into it.

    `nav` is the menu of the site that the report is part of.
    """
    leaves: list[Leaf] = []
    samples, below = folder / "samples", [link.from_below() for link in nav]
    for leaf in book.leaves if book else ():
        place = ours.real_folder(samples) / Path(leaf.name).name
        ours.make_room(folder, place.relative_to(folder))
        ours.replace(place, document("samples.html.j2", {"page": page, "leaf": leaf, "nav": below}))
        leaves.append(Leaf(name=leaf.name, says=leaf.says, data={}))  # free the memory of its texts
    if book:
        book.index["leaves"] = [leaf.name for leaf in leaves] or None
    ours.make_room(folder, Path("report.html"))
    ours.replace(folder / "report.html", render(page, figures, book.index if book else None, leaves, nav))
    _remove_others(folder, {leaf.name for leaf in leaves})


def _remove_others(folder: Path, written: Collection[str]) -> None:
    """Remove pages of samples that an earlier report had and this one has not."""
    samples = folder / "samples"
    if samples.is_symlink():
        samples.unlink()
    for path in list(samples.iterdir()) if samples.is_dir() else ():
        inside = path.relative_to(folder)
        if inside.as_posix() not in written and ours.is_ours(folder, inside):
            path.unlink()
    with suppress(OSError):  # the folder does not exist, or contains files of the user
        samples.rmdir()


def render(
    page: Page, figures: Figures, samples: Plain | None = None, leaves: Sequence[Leaf] = (), nav: Nav = ()
) -> str:
    """Return report.html; `samples` is the explorer's data, `leaves` the pages with the samples' texts if there are many."""
    return _filled(
        "report.html.j2", figures.weights, page=page, figures=figures, samples=samples, leaves=leaves, nav=nav
    )


def render_weights(
    section: weighed.WeightSection, figures: WeightFigures, title: str, columns: Sequence[str], command: str
) -> str:
    """Return a page of weights only; `columns` are the metrics that its table of layers shows."""
    return _filled(
        "weigh.html.j2",
        figures,
        section=section,
        figures=figures,
        title=title,
        columns=columns,
        command=command,
    )


def document(
    template: str, content: Mapping[str, object], scripts: Sequence[str] = SCRIPTS, asks: str = ""
) -> str:
    """Return a page made from the template of this name, in the style of the reports.

    `asks` is what the page's script may fetch, as its policy says: "'self'"; "" for nothing.
    """
    return _filled(template, None, scripts, asks, **content)


def _filled(
    template: str,
    drawn: WeightFigures | None,
    scripts: Sequence[str] = SCRIPTS,
    asks: str = "",
    **content: object,
) -> str:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(
        words=words,
        weighed=weighed,
        verdicts=verdicts,
        cost_panels=cost_panels,
        sample_link=explorer.sample_link,
        slice_link=explorer.slice_link,
        FEW_TASKS=FEW_TASKS,
        nav=(),
    )
    environment.filters["svg"] = lambda drawing: Markup(charts.in_page(drawing))  # noqa: S704  Vega escapes its texts
    environment.filters["text"] = lambda text: words.shorten(text, LONGEST)
    environment.filters["answered"] = answered
    environment.filters["data"] = lambda data: Markup(explorer.script_data(data))  # noqa: S704  cannot end its element
    style = _variables() + environment.get_template("report.css.j2").render() + _picks(drawn)
    first, script = _script(FIRST), _script(*scripts)
    return environment.get_template(template).render(
        style=Markup(style),  # noqa: S704  our own
        first_script=Markup(first),  # noqa: S704  our own
        script=Markup(script),  # noqa: S704  our own
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(first)}' '{_hash(script)}'; "
        f"img-src data:; {f'connect-src {asks}; ' if asks else ''}base-uri 'none'; form-action 'none'",
        **content,
    )


def _script(*names: str) -> str:
    """Return the named files as one script, which runs in strict mode and defines no global names."""
    folder = files("harness.report") / "templates"
    parts = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def _picks(drawn: WeightFigures | None) -> str:
    """Return CSS rules that show the picked line of a chart without a script: one for each place in the longest list."""
    most = max((len(choice.options) for choice in drawn.spectra.values()), default=0) if drawn else 0
    rule = ".pick:has(option:nth-child({n}):checked) .n{n}{{visibility:visible}}\n"
    return "".join(rule.format(n=n) for n in range(1, most + 1))


def _shown(value: object) -> object:
    """Return a value for the page: invisible and reordering characters in texts are made visible; None becomes ""."""
    if value is None:
        return ""
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _variables() -> str:
    """Return the palettes as CSS variables; the reader's choice of theme overrides the system's."""

    def block(palette: charts.Palette) -> str:
        return "".join(f"--{name}:{value};" for name, value in palette.items())

    light, dark = block(charts.LIGHT), block(charts.DARK)
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-theme=light]{{color-scheme:light}}:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )
