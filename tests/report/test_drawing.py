"""Charts are drawn by another process, and not again while their data are as they were."""

import json
import shutil
from pathlib import Path

import pytest

from harness.errors import StepError
from harness.report import drawing, render

BARS = {
    "data": {"values": [{"a": "x", "b": 3}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}},
}


def pages(folder: Path) -> dict[str, bytes]:
    drawn = [folder / "report.html", folder / "report.md", *(folder / "charts").iterdir()]
    return {path.name: path.read_bytes() for path in drawn}


@pytest.mark.slow
def test_kept_drawings_give_the_same_pages(example: Path, tmp_path: Path) -> None:
    folder, kept = tmp_path / "result", tmp_path / "drawings"
    shutil.copytree(example, folder)
    render(folder)
    anew = pages(folder)
    render(folder, kept)
    assert pages(folder) == anew
    # Two widths of two tasks' costs and differences, losses, alphas, histogram and the updates' map; one of four spectra.
    assert len(list(kept.iterdir())) == 2 * (2 + 2 + 1 + 3) + 4
    render(folder, kept)
    assert pages(folder) == anew


@pytest.mark.slow
def test_only_charts_whose_data_changed_are_drawn_again(example: Path, tmp_path: Path) -> None:
    folder, kept = tmp_path / "result", tmp_path / "drawings"
    shutil.copytree(example, folder)
    render(folder, kept)
    for path in kept.iterdir():
        path.write_text(path.read_text().replace("<svg ", '<svg data-kept="yes" ', 1))
    document = json.loads((folder / "result.json").read_bytes())
    document["curves"][0]["points"][0]["loss"] += 0.5
    (folder / "result.json").write_text(json.dumps(document))
    render(folder, kept)
    shown = {path.stem: "data-kept" in path.read_text() for path in (folder / "charts").glob("*.svg")}
    assert {name for name, was_kept in shown.items() if not was_kept} == {"losses", "losses-dark"}


def test_the_latest_drawings_are_kept(tmp_path: Path) -> None:
    kept = tmp_path / "drawings"
    kept.mkdir()
    for number in range(drawing.KEPT):
        (kept / f"{number}.svg").write_text("old")
    with drawing.pen(kept) as pen:
        first = pen.draw(lambda: BARS, "bars", "says", "name").result()
    assert len(list(kept.iterdir())) == drawing.KEPT
    with drawing.pen(kept) as pen:
        assert pen.draw(lambda: BARS, "bars", "says", "name").result() == first
        assert not pen.used


def test_what_is_kept_nowhere_is_drawn_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with drawing.pen(tmp_path / "file" / "drawings") as pen:
        assert (
            pen.draw(lambda: BARS, "bars", "Bars & more", "name")
            .result()
            .startswith('<svg role="img" aria-label="Bars &amp; more"')
        )


def test_a_drawing_that_fails_is_said_to_in_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        drawing.pen() as pen,
        pytest.raises(StepError, match=r"^chart name: cannot be drawn: [^\n]+$"),
    ):
        pen.draw(lambda: {"mark": 7}, "seven", "says", "name").result()
    assert "Traceback" not in capfd.readouterr().err
