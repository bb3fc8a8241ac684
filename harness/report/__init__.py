"""Pages of a RESULT folder, made from the files of the folder alone: HTML, Markdown, tables for a terminal."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.report.html import NavLink


def _always() -> bool:
    return True


def render(folder: Path | str, drawings: Path | None = None, wanted: Callable[[], bool] = _always) -> None:
    """Write report.html, report.md and charts/*.svg into a RESULT folder.

    `drawings` is a folder of charts drawn earlier: charts whose data did not change are not drawn again. As soon as the
    pages are not `wanted` any more, this returns without them.
    """
    from harness.report import drawing

    folder = Path(folder)
    with drawing.pen(drawings) as pen:  # drawing takes longest: everything else is done meanwhile
        from harness.report import figures, page
        from harness.results import read
        from harness.results.document import refuse_damaged

        result = read(folder)
        refuse_damaged(folder, result.files)
        outline = page.build(result)
        drawn = figures.draw(outline, pen)
        from harness.report import explorer, html, markdown
        from harness.report.task_samples import task_samples

        if not wanted():
            return
        samples = task_samples(result)
        whole = page.with_samples(outline, result, samples)
        if not wanted():
            return
        html.write(whole, drawn, folder, explorer.book(result, whole, samples))
        markdown.write(whole, drawn, folder)


def render_html(
    folder: Path, into: Path, drawings: Path | None = None, nav: "Sequence[NavLink]" = ()
) -> None:
    """Write report.html of a RESULT folder, and its pages of samples, into another folder; `nav` is a site's menu."""
    from harness.report import drawing

    with drawing.pen(drawings) as pen:
        from harness.report import explorer, figures, html, page
        from harness.report.task_samples import task_samples
        from harness.results import read
        from harness.results.document import refuse_damaged

        result = read(folder)
        refuse_damaged(folder, result.files)
        outline = page.build(result)
        drawn = figures.draw(outline, pen)
        samples = task_samples(result)
        whole = page.with_samples(outline, result, samples)
        html.write(whole, drawn, into, explorer.book(result, whole, samples), nav)


def render_terminal(
    folder: Path | str, console: "Console | None" = None, above: Collection[str] = ()
) -> None:
    """Print the answer and the score tables of a RESULT folder; no chart is drawn and no generation is read.

    Of the tasks `above`, which were printed before, only the names are printed.
    """
    from harness.report import page, terminal
    from harness.results import read
    from harness.terminal.consoles import PlainConsole

    terminal.show(page.build(read(folder)), console or PlainConsole(), above)


def render_tasks(folder: Path | str, names: Collection[str], console: "Console") -> None:
    """Print the answers and the score tables of some tasks of a RESULT folder."""
    from harness.report import page, terminal
    from harness.results import read

    terminal.show_tasks(
        [task for task in page.build(read(folder)).tasks if task.facts.name in names], console
    )


def render_json(folder: Path | str) -> str:
    """Return the answer and the score tables as JSON, for other programs."""
    import json

    from harness.report import page, terminal
    from harness.results import read

    folder = Path(folder)
    return json.dumps(terminal.as_json(page.build(read(folder)), folder), indent=1)


def sentences(folder: Path | str) -> list[str]:
    """Return the sentences that answer each task."""
    from harness.report import page, terminal
    from harness.results import read

    return [
        sentence for task in page.build(read(folder)).tasks for sentence in terminal.plain_sentences(task)
    ]
