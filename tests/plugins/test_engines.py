"""What every engine owes, asked of each; and a new one is one file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import plugins
from harness.errors import SuiteError, UnknownName
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run import engines
from harness.run.counting import Count
from harness.run.run import run
from harness.run.schedule import Schedule
from harness.run.store import open_store
from harness.suite.load import load_suite
from harness.types import Outcome, Runtime, Step
from tests.cli.words import harness
from tests.plugins.packages import install

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {id: id, input: dialogue, reference: summary}}
    prompt: "Sum up: $input"
    metrics: [exact]
    primary: exact
models:
  - {name: copy, uri: "echo:copy"}
  - {name: crash, uri: "echo:crash-on-s2"}
"""

# One file: each step in this process, one after another.
INLINE = '''
from functools import partial
from pathlib import Path


def run(schedule, runner, progress):
    """Run the steps one after another."""
    while (step := schedule.take()) is not None:
        progress.started(step)
        outcome = runner(step, partial(progress.progress, step))
        with Path("inline.log").open("a") as log:
            print(step.label, file=log)
        if schedule.settle(step, outcome):
            yield step, outcome
'''


@dataclass
class Log:
    """What an engine tells of its steps."""

    lines: list[tuple[str, ...]]

    def started(self, step: Step) -> None:
        self.lines.append(("started", step.id))

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None:
        self.lines.append(("progress", step.id, f"{done}/{total}"))

    def ended(self, step: Step, outcome: Outcome) -> None:
        self.lines.append(("ended", step.id))


@dataclass
class Runner:
    """Runs nothing: notes that a step was run, and ends it as the step's label says."""

    folder: Path
    runtime: Runtime

    def __call__(self, step: Step, count: Count) -> Outcome:
        with (self.folder / "ran").open("a") as file:
            print(step.id, file=file)
        count(1, 1)
        if step.label == "busy once" and self.times(step) == 1:
            return Outcome(step=step.id, state="busy")
        return Outcome(step=step.id, state="failed" if step.label == "fails" else "done")

    def log(self, step: Step) -> Path:
        return self.folder / f"{step.id}.log"

    def ran(self) -> list[str]:
        return (self.folder / "ran").read_text().split()

    def times(self, step: Step) -> int:
        return self.ran().count(step.id)


def step(name: str, *needs: str, label: str = "", lane: str = "a") -> Step:
    return Step(id=name, kind="generate", spec=None, needs=needs, lane=lane, label=label)


@pytest.fixture(params=plugins.names("engines"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[0, 2])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return Runner(tmp_path, Runtime(workers=request.param))


def outcomes(name: str, steps: list[Step], runner: Runner, log: Log | None = None) -> dict[str, str]:
    found = [
        (step.id, outcome) for step, outcome in engines.find(name)(Schedule(steps), runner, log or Log([]))
    ]
    assert len(dict(found)) == len(found), "a step is yielded once"
    assert all(outcome.step == step for step, outcome in found)
    return {step: outcome.state for step, outcome in found}


@pytest.mark.slow
def test_each_step_runs_once_after_what_it_needs(name: str, runner: Runner) -> None:
    steps = [step("a"), step("b", "a", "kept"), step("c", lane="other"), step("d", "b", "c")]
    assert outcomes(name, steps, runner) == dict.fromkeys("abcd", "done")
    ran = runner.ran()
    assert sorted(ran) == ["a", "b", "c", "d"]
    assert ran.index("a") < ran.index("b") < ran.index("d")
    assert ran.index("c") < ran.index("d")


@pytest.mark.slow
def test_what_needs_a_failed_step_is_neither_run_nor_yielded(name: str, runner: Runner) -> None:
    steps = [step("a", label="fails"), step("b", "a"), step("c", "b"), step("d")]
    assert outcomes(name, steps, runner) == {"a": "failed", "d": "done"}
    assert sorted(runner.ran()) == ["a", "d"]


@pytest.mark.slow
def test_a_step_that_another_process_has_is_tried_again(name: str, runner: Runner) -> None:
    steps = [step("a", label="busy once"), step("b", "a")]
    assert outcomes(name, steps, runner) == {"a": "done", "b": "done"}
    assert runner.ran() == ["a", "a", "b"]


@pytest.mark.slow
def test_what_starts_and_how_far_it_is_is_told(name: str, runner: Runner) -> None:
    log = Log([])
    outcomes(name, [step("a"), step("b", "a")], runner, log)
    assert log.lines == [
        *(("started", "a"), ("progress", "a", "1/1")),
        *(("started", "b"), ("progress", "b", "1/1")),
    ]


def test_nothing_to_do_is_done_at_once(name: str, runner: Runner) -> None:
    assert outcomes(name, [], runner) == {}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with data and a suite; what is installed in it can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._entry_points.cache_clear()
    (tmp_path / "data").mkdir()
    rows = [{"id": f"s{n}", "dialogue": f"hi {n}", "summary": f"hi {n}"} for n in range(4)]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE)
    yield tmp_path
    plugins._entry_points.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_step_that_raises_takes_along_only_what_needs_it(here: Path, name: str, workers: int) -> None:
    suite, store = load_suite("small.yaml"), open_store(here / "store")
    drawn = plan(suite, pins(suite, device="cpu", offline=True, cache=here / "digests.json"))
    done = run(drawn, store, Runtime(engine=name, workers=workers), Log([]))
    states = {step.label: done.outcomes[step.id].state for step in drawn.steps}
    assert states == {
        "load chats": "done",
        "generate chats, copy": "done",
        "score chats, copy": "done",
        "generate chats, crash": "failed",
        "score chats, crash": "skipped",
        "compare chats": "done",
        "report": "done",
    }
    (failed,) = done.failed
    assert "sample s2: echo was asked to fail here" in failed.reason
    assert "StepError" in Path(failed.log).read_text()


@pytest.mark.slow
def test_a_new_engine_is_one_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(here, "engines", ("inline",), INLINE)
    (here / "small.yaml").write_text(SUITE.replace("crash-on-s2", "empty"))
    words = ("run", "small.yaml", "--device", "cpu", "--out", "R")
    done = harness(capsys, *words, "--engine", "inline", "--json")
    assert done.code == 0, done.err
    ran = {"generate chats, copy", "score chats, copy", "generate chats, crash", "score chats, crash"}
    assert set((here / "inline.log").read_text().splitlines()) == ran
    found = json.loads((here / "R" / "result.json").read_text())
    assert found["manifest"]["runtime"]["engine"] == "inline"
    assert {score["value"] for score in found["scores"]} == {100.0, 0.0}
    kept = harness(capsys, "plan", "small.yaml", "--device", "cpu")  # an engine is in no step's id
    assert "0 of 7 steps to do" in kept.out


@pytest.mark.parametrize("command", ["run", "plan", "check"])
def test_an_unknown_engine_is_refused_before_any_work(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    done = harness(capsys, command, "small.yaml", "--engine", "locl")
    assert done.code == 2
    assert "--engine: no engine named 'locl'; did you mean 'local'?" in done.err
    assert not (here / "store").exists()


def test_a_plug_in_that_is_no_engine_is_refused(here: Path) -> None:
    install(here, "engines", ("idle",), "RUN = None\n")
    with pytest.raises(SuiteError, match=r"the plug-in 'idle' \(idle_engines_stub\) is no engine: it has no"):
        engines.find("idle", "--engine")
    with pytest.raises(UnknownName, match="no engine named 'idel'; did you mean 'idle'"):
        engines.find("idel")
