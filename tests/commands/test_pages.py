"""Pages are drawn by the command that publishes: once for the same data, and never at the cost of the data."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.commands import pages
from harness.commands.delivery import deliver
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run.run import run
from harness.run.store import Store, open_store
from harness.suite.load import load_suite
from harness.types import Outcome, Runtime, Step
from harness.verification import verify

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {id: id}}
    prompt: "$input"
    metrics: [f1]
    primary: f1
models: [{name: first, uri: "echo:first-line"}, {name: copy, uri: "echo:copy"}]
weights: false
"""


class Silent:
    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None: ...
    def ended(self, step: Step, outcome: Outcome) -> None: ...


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a suite and its data."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "data").mkdir()
    rows = [{"id": f"s{n:03}", "input": f"in {n}\nand more", "reference": f"in {n}"} for n in range(12)]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "small.yaml").write_text(SUITE)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def report(place: Path, store: Store) -> Path:
    """Return the folder of a run's report step."""
    suite = load_suite(str(place / "small.yaml"))
    drawn = plan(suite, pins(suite, device="cpu", offline=True, cache=store.root / "digests.json"))
    done = run(drawn, store, Runtime(workers=0), Silent(), command="harness run small.yaml")
    assert done.report is not None
    return done.report


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def command(out: str, before: str = "") -> list[str]:
    words = ("run", "small.yaml", "--workers", "0", "--device", "cpu", "--offline", "--out", out)
    return [sys.executable, "-c", f"{before}from harness.cli import main; main()", *words]


@pytest.mark.slow
def test_a_report_step_holds_data_and_publishing_adds_the_pages(
    report: Path, store: Store, tmp_path: Path
) -> None:
    assert set(files(report)) == {
        *("result.json", "rows.parquet", "samples.jsonl.gz", "generations.jsonl.gz", "step.json")
    }
    deliver(report, tmp_path / "out", store)
    assert {"report.html", "report.md", "charts/differences-1.svg"} <= set(files(tmp_path / "out"))


@pytest.mark.slow
def test_the_same_data_are_drawn_once(
    report: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(report, tmp_path / "out", store)
    before = files(tmp_path / "out")
    monkeypatch.setattr(sys, "executable", "/bin/false")  # nothing can be drawn
    for out in ("out", "other"):
        found = deliver(report, tmp_path / out, store)
        assert (found.drawn, found.warnings) == (True, ())
        assert files(tmp_path / out) == before


@pytest.mark.slow
def test_kept_pages_that_were_changed_are_drawn_again(report: Path, store: Store, tmp_path: Path) -> None:
    deliver(report, tmp_path / "out", store)
    before = files(tmp_path / "out")
    (kept,) = store.pages.iterdir()
    (kept / "report.md").write_text("torn")
    deliver(report, tmp_path / "out", store)
    assert files(tmp_path / "out") == before
    (kept,) = store.pages.iterdir()
    assert (kept / "report.md").read_bytes() == before["report.md"]


@pytest.mark.slow
def test_the_latest_pages_are_kept(report: Path, store: Store, tmp_path: Path) -> None:
    for number in range(pages.KEPT):
        (store.pages / f"old{number}").mkdir(parents=True)
        (store.pages / f"old{number}" / "step.json").write_text("{}")
        os.utime(store.pages / f"old{number}", (number, number))
    deliver(report, tmp_path / "out", store)
    left = {path.name for path in store.pages.iterdir()}
    assert len(left) == pages.KEPT
    assert "old0" not in left


@pytest.mark.slow
def test_what_a_user_put_beside_kept_pages_stays(report: Path, store: Store, tmp_path: Path) -> None:
    for number in range(pages.KEPT + 2):
        (store.pages / f"mine{number}").mkdir(parents=True)
        (store.pages / f"mine{number}" / "notes.txt").write_text("mine")
    deliver(report, tmp_path / "out", store)
    assert len(list(store.pages.glob("mine*/notes.txt"))) == pages.KEPT + 2


@pytest.mark.slow
def test_pages_that_are_kept_nowhere_are_drawn_all_the_same(
    report: Path, store: Store, tmp_path: Path
) -> None:
    store.pages.write_text("a file stands there")
    assert deliver(report, tmp_path / "out", store).drawn
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["/bin/false", "/nowhere/python"])
def test_a_failure_of_drawing_does_not_lose_the_result(
    report: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", broken)
        found = deliver(report, out, store)
    assert not found.drawn
    (line,) = found.warnings
    assert line.startswith(f"{out}: its pages cannot be drawn: ")
    assert line.endswith(f"`harness report {out}` tries again (log: {store.log('pages')})")
    assert "StepError" in store.log("pages").read_text()
    assert verify(out) == []
    assert not any(name.startswith(("report.", "charts")) for name in files(out))
    assert deliver(report, out, store).drawn
    assert (out / "report.html").is_file()


@pytest.mark.slow
def test_a_run_whose_pages_cannot_be_drawn_ends_with_3_and_a_line(place: Path) -> None:
    before = "import sys; sys.executable = '/bin/false'; "
    done = subprocess.run(command("undrawn", before), cwd=place, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (3, "RESULT  undrawn\n")
    (line,) = [line for line in done.stderr.splitlines() if "drawn" in line]
    assert "undrawn: its pages cannot be drawn: chart" in line
    assert "Traceback" not in done.stderr
    assert verify(place / "undrawn") == []


@pytest.mark.slow
def test_kill_9_while_pages_are_drawn_leaves_the_earlier_result_and_the_next_run_repairs(
    place: Path, tmp_path: Path
) -> None:
    for name in ("data", "small.yaml"):
        copy = shutil.copytree if (place / name).is_dir() else shutil.copy
        copy(place / name, tmp_path / name)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    subprocess.run(command("out"), check=True, **quiet)
    before = files(tmp_path / "out")
    path = tmp_path / "small.yaml"
    path.write_text(path.read_text().replace("echo:copy", "echo:upper"))
    process = subprocess.Popen(command("out"), start_new_session=True, **quiet)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.new-*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob(".out.new-*")), "killed too late to prove anything"
    assert files(tmp_path / "out") == before
    subprocess.run(command("out"), check=True, **quiet)
    assert "echo:upper" in (tmp_path / "out" / "result.json").read_text()
    assert (tmp_path / "out" / "report.md").read_bytes() != before["report.md"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".out")) == []
