"""The unfinished RESULT of a run that goes on: where it is published, what it says, and what other commands do with it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.commands import gate, leaderboard
from harness.commands.delivery import deliver, deliver_interim
from harness.commands.live import shower
from harness.commands.rescore import rescore
from harness.compare import side_by_side
from harness.errors import ResultError
from harness.report import render_terminal
from harness.results import baseline, read
from harness.results.document import write_document
from harness.run.going import Interim
from harness.run.run import run
from harness.run.store import Store, open_store
from harness.terminal.consoles import PlainConsole
from harness.types import Runtime
from harness.verification.scores import check
from tests.run.interim import two_tasks
from tests.run.test_run import Silent

SAID = "This RESULT is unfinished: 1 of 2 tasks is shown, still to come: two (1 of 2 systems scored)."


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    yield open_store(place / "store")


@pytest.fixture(scope="module")
def reports(place: Path, store: Store) -> dict[str, Path]:
    """The data of an unfinished RESULT and of the whole one that follows."""

    def show(interim: Interim) -> None:
        shutil.copytree(interim.report, place / "unfinished")

    done = run(
        two_tasks(place, store), store, Runtime(workers=0), Silent(), command="harness run two", show=show
    )
    assert done.report is not None
    return {"unfinished": place / "unfinished", "whole": done.report}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def unfinished(reports: dict[str, Path], store: Store, out: Path) -> Path:
    """A published unfinished RESULT."""
    assert show_at(reports["unfinished"], out, store) == out
    return out


def show_at(report: Path, out: Path, store: Store) -> Path:
    found = deliver_interim(report, out, store, lambda: True)
    assert found is not None
    return found.folder


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Where it is published.


@pytest.mark.slow
def test_its_pages_say_at_once_that_it_is_unfinished(unfinished: Path) -> None:
    page, text = (unfinished / "report.html").read_text(), (unfinished / "report.md").read_text()
    assert "<title>Unfinished: two · harness report</title>" in page
    assert '<h1>two <span class="tag empty">unfinished</span></h1>' in page
    assert f'<p class="lead"><strong>{SAID}' in page
    assert text.startswith("# two (unfinished)\n")
    assert text.split("\n\n")[1].startswith(f"**{SAID}")
    for shown in (page, text):
        assert "every step finished" not in shown
    assert 'http-equiv="refresh"' not in page  # a reader would lose what is opened


@pytest.mark.slow
def test_it_is_replaced_by_the_next_one_and_by_the_whole_one(
    reports: dict[str, Path], store: Store, unfinished: Path
) -> None:
    assert show_at(reports["unfinished"], unfinished, store) == unfinished
    assert names(unfinished.parent) == ["out"]
    found = deliver(reports["whole"], unfinished, store)
    assert (found.folder, found.partial, found.warnings) == (unfinished, False, ())
    assert names(unfinished.parent) == ["out"]
    assert "unfinished" not in (unfinished / "report.md").read_text()


def test_a_whole_result_stays_and_it_is_published_beside_until_the_next_whole_one(
    reports: dict[str, Path], store: Store, out: Path
) -> None:
    deliver(reports["whole"], out, store)
    before = document(out)
    beside = out.with_name("out.partial")
    for _ in range(2):
        assert show_at(reports["unfinished"], out, store) == beside
        assert document(out) == before
    assert SAID in (beside / "report.html").read_text()
    deliver(reports["whole"], out, store)
    assert names(out.parent) == ["out"]


def test_a_result_with_added_metrics_stays(reports: dict[str, Path], store: Store, unfinished: Path) -> None:
    rescore(unfinished, ["exact"], unfinished)
    before = document(unfinished)
    beside = unfinished.with_name("out.partial")
    assert show_at(reports["unfinished"], unfinished, store) == beside
    assert document(unfinished) == before
    assert names(unfinished.parent) == ["out", "out.partial"]


def test_a_partial_result_beside_with_added_metrics_stays(
    reports: dict[str, Path], store: Store, out: Path
) -> None:
    deliver(reports["whole"], out, store)
    beside = show_at(reports["unfinished"], out, store)
    assert beside == out.with_name("out.partial")
    rescore(beside, ["exact"], beside)
    before = (beside / "result.json").read_bytes()
    assert deliver_interim(reports["unfinished"], out, store, lambda: True) is None
    assert (beside / "result.json").read_bytes() == before
    assert names(out.parent) == ["out", "out.partial"]


def test_the_whole_result_removes_no_partial_one_that_has_more(
    reports: dict[str, Path], store: Store, out: Path
) -> None:
    deliver(reports["whole"], out, store)
    beside = show_at(reports["unfinished"], out, store)
    more = document(beside)
    more["scores"][0]["n"] += 1
    write_document(beside, {key: value for key, value in more.items() if key != "digest"})
    deliver(reports["whole"], out, store)
    assert names(out.parent) == ["out", "out.partial"]


def test_files_of_the_user_s_own_come_along(reports: dict[str, Path], store: Store, unfinished: Path) -> None:
    (unfinished / "notes.md").write_text("wait for it")
    for publish, report in ((show_at, "unfinished"), (deliver, "whole")):
        publish(reports[report], unfinished, store)
        assert (unfinished / "notes.md").read_text() == "wait for it"


def test_its_pages_are_not_kept_in_the_store(store: Store, unfinished: Path) -> None:
    """The next one is another, and the pages of ten RESULTs are kept."""
    assert not list(store.pages.glob("*/report.html")) or all(
        "Unfinished" not in path.read_text() for path in store.pages.glob("*/report.html")
    )


# What a run prints of it.


def test_a_finished_task_s_table_and_the_page_s_path_are_printed(
    reports: dict[str, Path], store: Store, out: Path
) -> None:
    console = PlainConsole(width=120)
    shown = set[str]()
    show = shower(out, store, console, shown)
    with console.capture() as capture:
        show(Interim(report=reports["unfinished"], tasks=("one",), wanted=lambda: True))
    printed = capture.get()
    assert shown == {"one"}
    assert "one, Token F1, 12 samples" in printed and "copy" in printed
    assert f"unfinished report  {out / 'report.html'}" in printed


def test_a_table_that_was_printed_is_not_printed_again_at_the_end(reports: dict[str, Path]) -> None:
    console = PlainConsole(width=120)
    with console.capture() as capture:
        render_terminal(reports["whole"], console, above={"one"})
    printed = capture.get()
    assert "The results of one are printed above." in printed
    assert "two, Token F1, 12 samples" in printed and "one, Token F1" not in printed


@pytest.mark.parametrize(("streams", "together"), [("one file", True), ("two files", False)])
def test_a_reader_sees_both_streams_only_if_they_go_to_one_place(
    streams: str, together: bool, tmp_path: Path
) -> None:
    code = "from harness.terminal.consoles import output_and_errors_go_together as t; print(t())"
    said = tmp_path / "said"
    with said.open("w") as file, (tmp_path / "errors").open("w") as other:
        errors = file if streams == "one file" else other
        subprocess.run([sys.executable, "-c", code], stdout=file, stderr=errors, check=True)
    assert said.read_text().strip() == str(together)


def test_after_the_end_of_the_run_nothing_unfinished_is_published(
    reports: dict[str, Path], store: Store, out: Path
) -> None:
    shower(out, store, None, set())(
        Interim(report=reports["unfinished"], tasks=("one",), wanted=lambda: False)
    )
    assert not out.exists()


def test_what_cannot_be_published_is_one_line_and_ends_nothing(
    reports: dict[str, Path], store: Store, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out.write_text("a file that somebody put here while the run went on")
    shower(out, store, None, set())(
        Interim(report=reports["unfinished"], tasks=("one",), wanted=lambda: True)
    )
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{out}: the finished tasks cannot be shown yet: --out {out}: found a file; name an empty or a new folder"
    ]


# What other commands do with it.


def test_verify_recomputes_it_and_says_that_it_is_unfinished(unfinished: Path) -> None:
    found = check(unfinished)
    assert found.problems == ()
    assert found.recomputed > 0
    assert found.remarks[0].startswith(
        "unfinished RESULT: 3 of 12 steps have no result yet (generate two, copy; "
    )


def test_a_gate_on_a_task_to_come_is_invalid_with_the_reason(unfinished: Path) -> None:
    one, two = gate.judge(unfinished, None, None).verdicts
    assert (one.task, one.verdict) == ("one", "pass")
    assert (two.task, two.verdict) == ("two", "invalid")
    assert "the RESULT is unfinished: two is still to come (1 of 2 systems are scored)" in two.because


def test_it_is_no_baseline(unfinished: Path) -> None:
    with pytest.raises(
        ResultError, match=r"out: unfinished RESULT: 3 of 12 steps .* a baseline needs a whole one"
    ):
        baseline.make(unfinished)


@pytest.mark.slow
def test_a_leaderboard_skips_it(reports: dict[str, Path], store: Store, unfinished: Path) -> None:
    whole = unfinished.with_name("whole")
    deliver(reports["whole"], whole, store)
    board, _ = leaderboard.make([unfinished.parent])
    assert board.runs == ("whole",)
    (skipped,) = board.refused
    assert (skipped.run, skipped.skipped) == ("out", True)
    assert skipped.problem.startswith("unfinished: 3 of 12 steps have no result yet")
    with pytest.raises(ResultError, match="nothing to rank: out: unfinished"):
        leaderboard.make([unfinished])


def test_compare_says_which_side_is_unfinished(
    reports: dict[str, Path], store: Store, unfinished: Path
) -> None:
    whole = unfinished.with_name("whole")
    deliver(reports["whole"], whole, store)
    found = side_by_side(str(unfinished), str(whole))
    assert [task.name for task in found.tasks if task.lines] == ["one"]
    assert found.remarks[0].startswith("A is unfinished: 3 of 12 steps have no result yet")


def test_it_is_read_as_any_result(unfinished: Path) -> None:
    import harness

    frames = harness.load(unfinished)
    assert set(frames.scores["task"]) == {"one"}
    assert {"done", "waiting"} == {step.state for step in read(unfinished).steps}
