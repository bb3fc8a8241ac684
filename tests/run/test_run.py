"""The path from plan to RESULT, with the echo backend: real store, real processes, no model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.results.schema import json_schema
from harness.run.repair import missing
from harness.run.run import FinishedRun, run
from harness.run.store import Store, open_store
from harness.run.target import publish
from harness.suite.load import load_suite
from harness.types import Outcome, Plan, Runtime, Step
from harness.verification import verify

SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{id: id, input: dialogue, reference: summary}}}}
    prompt: "Sum up.\\n\\n$input\\n\\nSummary:"
    metrics: [rouge, exact]
    primary: rougeL
    trivial: [lead-3]
models:
  - {{name: first, uri: "echo:{first}"}}
  - {{name: copy, uri: "echo:copy"}}
weights: false
"""


class Silent:
    """Looks on and remembers."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def started(self, step: Step) -> None: ...

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None: ...

    def ended(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.label] = outcome


def write_suite(folder: Path, first: str = "first-line", samples: int = 30) -> Path:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    lines = [
        {
            "id": f"s{n:03}",
            "dialogue": f"Ann: Bus {n} is late.\nBen: Take taxi {n}.",
            "summary": f"Ann takes taxi {n}.",
            "bus": f"line {n % 7}",
        }
        for n in range(samples)
    ]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = folder / "small.yaml"
    path.write_text(SUITE.format(first=first))
    return path


def drawn(path: Path, store: Store, limit: int | None = None) -> Plan:
    suite = load_suite(str(path))
    return plan(
        suite, pins(suite, device="cpu", offline=True, cache=store.root / "digests.json"), limit=limit
    )


def go(path: Path, store: Store, workers: int = 0, limit: int | None = None) -> tuple[FinishedRun, Silent]:
    watch = Silent()
    return run(drawn(path, store, limit), store, Runtime(workers=workers), watch, command="test"), watch


def result(done: FinishedRun) -> dict:
    assert done.report is not None
    return json.loads((done.report / "result.json").read_text())


def comparable(found: dict) -> dict:
    """What two equal runs share: all but times, memory and the manifest."""
    return {key: found[key] for key in ("suite", "scores", "comparisons", "weights", "notes")}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_a_suite_becomes_a_result(tmp_path: Path, store: Store) -> None:
    done, _ = go(write_suite(tmp_path), store)
    found = result(done)
    systems = {(score["model"], score["adapter"]) for score in found["scores"]}
    assert systems == {("trivial:lead-3", None), ("first", None), ("copy", None)}
    copied = next(s for s in found["scores"] if s["model"] == "copy" and s["metric"] == "rougeL")
    assert copied["n"] == 30
    assert copied["low"] <= copied["value"] <= copied["high"]
    assert {step["state"] for step in found["steps"]} == {"done"}
    jsonschema.validate(found, json_schema())


@pytest.mark.parametrize(("limit", "cluster"), [(None, None), (1, None), (None, "bus"), (3, "bus")])
def test_a_run_s_own_result_verifies(
    tmp_path: Path, store: Store, limit: int | None, cluster: str | None
) -> None:
    """One sample has no interval, and clustered proportions have another one than samples on their own."""
    path = write_suite(tmp_path)
    if cluster:
        path.write_text(
            path.read_text().replace("primary: rougeL", f"primary: rougeL\n    cluster: {cluster}")
        )
    done, _ = go(path, store, limit=limit)
    assert done.report is not None
    assert verify(done.report) == []


def test_a_second_run_does_nothing(tmp_path: Path, store: Store) -> None:
    path = write_suite(tmp_path)
    go(path, store)
    done, watch = go(path, store)
    assert watch.outcomes == {}
    assert done.report is not None


@pytest.mark.slow
def test_workers_change_no_answer(tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    here, _ = go(path, open_store(tmp_path / "a"))
    there, _ = go(path, open_store(tmp_path / "b"), workers=2)
    assert comparable(result(here)) == comparable(result(there))


@pytest.mark.slow
def test_a_failing_step_takes_only_its_own_along(tmp_path: Path, store: Store) -> None:
    done, watch = go(write_suite(tmp_path, "crash-on-s007"), store, workers=2)
    failed = watch.outcomes["generate chats, first"]
    assert failed.state == "failed"
    assert "s007" in failed.reason
    assert "StepError" in Path(failed.log).read_text()
    assert watch.outcomes["score chats, first"].state == "skipped"
    assert watch.outcomes["score chats, copy"].state == "done"
    found = result(done)
    assert {score["model"] for score in found["scores"]} == {"trivial:lead-3", "copy"}
    assert "step failed" in {note["kind"] for note in found["notes"]}
    assert not any(
        store.has(step.id) for step in drawn(tmp_path / "small.yaml", store).steps if step.kind == "report"
    )


def test_what_is_left_after_a_failure_is_still_compared(tmp_path: Path, store: Store) -> None:
    path = write_suite(tmp_path, "crash-on-s007")
    path.write_text(
        path.read_text().replace("weights: false", '  - {name: upper, uri: "echo:upper"}\nweights: false')
    )
    done, _ = go(path, store)
    compared = {(one["baseline"]["model"], one["candidate"]["model"]) for one in result(done)["comparisons"]}
    assert compared == {("copy", "upper")}
    states = {step["kind"]: step["state"] for step in result(done)["steps"]}
    assert states["compare"] == "done"


@pytest.mark.slow
def test_a_killed_worker_fails_its_step_after_a_second_try_and_the_rest_runs(
    tmp_path: Path, store: Store
) -> None:
    _, watch = go(write_suite(tmp_path, "kill-on-s007"), store, workers=1)
    failed = watch.outcomes["generate chats, first"]
    assert failed.state == "failed"
    assert "worker killed (SIGKILL) twice" in failed.reason
    assert watch.outcomes["score chats, copy"].state == "done"
    step = next(s for s in drawn(tmp_path / "small.yaml", store).steps if s.label == "generate chats, first")
    answers = (store.work(step.id) / "generations.jsonl").read_text().splitlines()
    assert len(answers) == 7  # what was answered is kept; the second try asked nothing twice


@pytest.mark.slow
def test_a_worker_killed_once_is_replaced_and_its_step_tried_again(tmp_path: Path, store: Store) -> None:
    path = write_suite(tmp_path)

    class Killer(Silent):
        killed = 0

        def started(self, step: Step) -> None:
            if step.label == "generate chats, first" and not self.killed:
                import multiprocessing

                for child in multiprocessing.active_children():
                    os.kill(child.pid or 0, signal.SIGKILL)
                self.killed += 1

    watch = Killer()
    done = run(drawn(path, store), store, Runtime(workers=1), watch)
    assert watch.killed == 1
    assert not done.failed
    whole, _ = go(path, open_store(tmp_path / "other"))
    assert comparable(result(done)) == comparable(result(whole))


def test_a_raised_limit_asks_only_what_is_new(tmp_path: Path, store: Store) -> None:
    path = write_suite(tmp_path)
    go(path, store, limit=10)
    go(path, store, limit=25)
    step = next(s for s in drawn(path, store, limit=25).steps if s.label == "generate chats, copy")
    assert json.loads((store.done(step.id) / "cost.json").read_text())["samples"] == 15
    fresh, _ = go(path, open_store(tmp_path / "other"), limit=25)
    grown, _ = go(path, store, limit=25)
    assert comparable(result(fresh)) == comparable(result(grown))


@pytest.mark.parametrize(
    "wait_for", ["generations.jsonl", pytest.param("scores.json", marks=pytest.mark.slow)]
)
def test_kill_9_then_run_again_equals_an_uninterrupted_run(tmp_path: Path, wait_for: str) -> None:
    path = write_suite(tmp_path, samples=1500)
    command = [
        sys.executable,
        "-m",
        "harness",
        "run",
        str(path),
        "--workers",
        "1",
        "--device",
        "cpu",
        "--offline",
    ]
    command += ["--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "store").glob(f"*/*/{wait_for}")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    store = open_store(tmp_path / "store")
    assert missing(drawn(path, store), store), "killed too late to prove anything"
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole, _ = go(path, open_store(tmp_path / "whole"))
    assert whole.report is not None
    ours = json.loads((tmp_path / "out" / "result.json").read_text())
    assert comparable(ours) == comparable(result(whole))
    for name in ("generations.jsonl.gz", "samples.jsonl.gz", "rows.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.report / name).read_bytes()


@pytest.mark.slow
def test_two_runs_in_one_store_at_once_share_the_work(tmp_path: Path) -> None:
    path = write_suite(tmp_path, samples=600)
    command = [
        sys.executable,
        "-m",
        "harness",
        "run",
        str(path),
        "--workers",
        "1",
        "--device",
        "cpu",
        "--offline",
    ]
    command += ["--store", str(tmp_path / "store")]
    both = [
        subprocess.Popen(
            [*command, "--out", str(tmp_path / name)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for name in ("a", "b")
    ]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    a, b = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("a", "b"))
    assert comparable(a) == comparable(b)


def test_publishing_never_overwrites_what_is_no_result(tmp_path: Path, store: Store) -> None:
    done, _ = go(write_suite(tmp_path), store)
    assert done.report is not None
    out = tmp_path / "home"
    out.mkdir()
    (out / "thesis.tex").write_text("…")
    with pytest.raises(Exception, match="holds other things"):
        publish(done.report, out)
    shutil.rmtree(out)
    publish(done.report, out)
    publish(done.report, out)
    assert not (out / "step.json").exists()
    assert json.loads((out / "result.json").read_text())["schema"] == 1
