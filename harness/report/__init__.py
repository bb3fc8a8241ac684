"""A RESULT folder drawn for people: report.html and report.md, from the files of the folder alone."""

from pathlib import Path


def render(folder: Path | str) -> None:
    """Writes report.html, report.md and charts/*.svg into a RESULT folder."""
    from harness.report import figures, html, markdown
    from harness.report.page import build
    from harness.result import read

    folder = Path(folder)
    page = build(read(folder))
    drawn = figures.draw(page)
    html.write(page, drawn, folder)
    markdown.write(page, drawn, folder)
