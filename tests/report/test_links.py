"""A RESULT may come from anybody: a link in it leads nothing that we write, or remove, to another folder."""

import json
import shutil
from pathlib import Path

import pytest

from harness.commands import card
from harness.commands import share as shareable
from harness.commands.export import export
from harness.commands.rescore import rescore
from harness.errors import HarnessError, ResultError
from harness.report import explorer, render
from harness.results import ours
from harness.run import target
from harness.types import System


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the user's, which must stay as it is."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("thesis.html", "0001.html", "losses.svg", "report.html", "README.md", "export.json"):
        (folder / name).write_text("mine")
    return folder


@pytest.fixture
def linked(example: Path, elsewhere: Path, tmp_path: Path) -> Path:
    """A RESULT with links in the place of our folders and pages, and one that its user added."""
    result = Path(shutil.copytree(example, tmp_path / "result"))
    for name in ("charts", "samples", "cards"):
        (result / name).symlink_to(elsewhere)
    for name in ("report.html", "report.md", "verdicts.json"):
        (result / name).unlink(missing_ok=True)
        (result / name).symlink_to(elsewhere / "report.html")
    (result / ".report.html.1").symlink_to(elsewhere / "report.html")
    (result / "latest").symlink_to(elsewhere)
    return result


def untouched(elsewhere: Path) -> bool:
    return len(list(elsewhere.iterdir())) == 6 and all(
        path.read_text() == "mine" for path in elsewhere.iterdir()
    )


@pytest.mark.slow
def test_a_report_replaces_links_by_files_and_folders(
    linked: Path, elsewhere: Path, drawings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (linked / "verdicts.json").unlink()
    monkeypatch.setattr(explorer, "FITS", 20_000)
    render(linked, drawings)
    assert untouched(elsewhere)
    for name in ("charts", "samples", "report.html", "report.md"):
        assert not (linked / name).is_symlink()
        assert (linked / name).exists()
    assert (linked / "latest").is_symlink()
    written = [
        path.relative_to(linked) for name in ("charts", "samples") for path in (linked / name).iterdir()
    ]
    assert len(written) > 10
    assert all(ours.is_ours(linked, path) for path in written)
    (linked / "samples" / "0001.html").unlink()
    (linked / "samples" / "0001.html").symlink_to(elsewhere / "0001.html")
    monkeypatch.undo()
    render(linked, drawings)  # with nothing beside it
    assert untouched(elsewhere)
    assert not (linked / "samples").exists()


def test_a_report_of_samples_that_fit_removes_the_link_alone(
    linked: Path, elsewhere: Path, drawings: Path
) -> None:
    (linked / "verdicts.json").unlink()
    render(linked, drawings)
    assert untouched(elsewhere)
    assert not (linked / "samples").exists()


def test_a_rescored_result_has_no_links_in_the_place_of_our_files(linked: Path, elsewhere: Path) -> None:
    rescore(linked, ["bleu"], linked)
    assert untouched(elsewhere)
    assert sorted(path.name for path in linked.iterdir() if path.is_symlink()) == ["cards", "latest"]


def test_a_run_that_publishes_over_links_leaves_them_out(
    example: Path, linked: Path, elsewhere: Path, tmp_path: Path
) -> None:
    fresh = Path(shutil.copytree(example, tmp_path / "fresh"))
    (fresh / "notes").symlink_to(elsewhere)
    (linked / "notes").mkdir()
    (linked / "notes" / "thesis.html").write_text("my notes")
    target.publish(fresh, linked)
    assert untouched(elsewhere)
    assert (linked / "notes" / "thesis.html").read_text() == "my notes"
    assert sorted(path.name for path in linked.iterdir() if path.is_symlink()) == ["cards", "latest"]


def test_a_shareable_copy_holds_no_links(
    linked: Path, elsewhere: Path, drawings: Path, tmp_path: Path
) -> None:
    shareable.write(linked, tmp_path / "copy", drawings)
    assert untouched(elsewhere)
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.is_symlink()]


def test_data_that_lie_elsewhere_are_copied_by_no_command(example: Path, tmp_path: Path) -> None:
    result = Path(shutil.copytree(example, tmp_path / "result"))
    (result / "rows.parquet").rename(tmp_path / "rows.parquet")
    (result / "rows.parquet").symlink_to(tmp_path / "rows.parquet")
    with pytest.raises(ResultError, match=r"rows\.parquet: found a symbolic link"):
        rescore(result, ["bleu"], tmp_path / "out")
    with pytest.raises(ResultError, match=r"rows\.parquet: found a symbolic link"):
        shareable.write(result, tmp_path / "copy")


@pytest.mark.slow
def test_a_card_and_an_export_within_the_result_follow_no_link(linked: Path, elsewhere: Path) -> None:
    (linked / "verdicts.json").unlink()
    scores = json.loads((linked / "result.json").read_text())["scores"]
    model, adapter = next((one["model"], one["adapter"]) for one in scores if one["adapter"])
    system = System(model=model, adapter=adapter)
    path = card.write(linked, system)
    assert path.is_relative_to(linked / "cards")
    assert not (linked / "cards").is_symlink()
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(elsewhere)
    card.write(linked, system)
    for out in (linked / "latest" / "card.md", linked / "latest"):
        with pytest.raises(HarnessError, match="is a symbolic link in the RESULT"):
            card.write(linked, system, out)
    with pytest.raises(HarnessError, match="is a symbolic link in the RESULT"):
        export(linked, "csv", uri=None, out=linked / "latest" / "tables")
    out = linked / "tables"
    out.mkdir()
    (out / "export.json").write_text("{}")
    (out / ".scores.csv").symlink_to(elsewhere / "report.html")
    export(linked, "csv", uri=None, out=out)
    assert untouched(elsewhere)
