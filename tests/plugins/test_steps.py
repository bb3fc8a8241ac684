"""What holds of every kind of step: what it declares, which files it leaves, and what it contributes."""

import ast
import dataclasses
import json
from collections import defaultdict
from pathlib import Path

import pytest

import harness
from harness import plugins
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.results import read
from harness.run.intact import RECORD
from harness.run.run import run
from harness.run.steps import Contribution, Finished, StepContext, StepKind, find
from harness.run.store import Store, open_store
from harness.scoring import warned
from harness.suite.load import load_suite
from harness.types import Cost, Outcome, Plan, Runtime, Step

PACKAGE = Path(harness.__file__).parent
KINDS = plugins.own_names("steps")
DECLARED = [name for name in vars(StepKind) if not name.startswith("_")]
OF_A_RESULT = ("report",)  # kinds of steps whose files are a RESULT's, which `results/` writes and reads

ECHO = """
tasks:
  - name: chats
    source: {uri: "file:data"}
    prompt: "$input"
    metrics: [f1, rouge]
    primary: f1
    cluster: topic
    trivial: [copy]
models: [{name: first, uri: "echo:first-line"}, {name: copy, uri: "echo:copy"}]
base_shots: [0, 1]
weights: false
gates: [{model: copy, adapter: base, metric: f1, min_value: 1}]
"""
TRAINED = """
tasks:
  - name: chats
    source: {uri: "file:data"}
    prompt: "$input"
    metrics: [f1, judge, "evaluate:./words.py"]
    primary: f1
    judge: {model: falcon, finds: numbers, prompt: "Is it a number: $answer?", options: ["yes", "no"], counts: ["yes"]}
    calibrate: labelled.jsonl
models: [{name: falcon, uri: zoo:falcon-tiny}]
recipes:
  - {name: short, rank: 2, targets: [q], steps: 2, batch_size: 2, validation_samples: 2, validations: 1}
  - {name: grid, rank: 2, targets: [q], steps: 2, batch_size: 2, validation_samples: 2, validations: 2,
     sweep: {learning_rate: [1e-3, 2e-3]}, halving: {keep: 1/2, rungs: 2}}
train_on: [chats]
scales: [0.5]
weights: {roles: [q]}
gates: [{max_drop: 50}]
"""
PROGRAM = """
import datasets
import evaluate

class Words(evaluate.Metric):
    def _info(self):
        features = datasets.Features({name: datasets.Value("string") for name in ("predictions", "references")})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"words": float(len(predictions))}
"""


class Silent:
    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None: ...
    def ended(self, step: Step, outcome: Outcome) -> None: ...


def finished_run(folder: Path, suite: str) -> tuple[Plan, Store]:
    """Run a suite over eight samples a split; every step must finish."""
    (folder / "data").mkdir()
    for split in ("train", "validation", "test"):
        rows = [
            {"id": f"{n}", "input": f"A {split} {n}.\nAnd more.", "reference": f"{n}.", "topic": f"{n % 3}"}
            for n in range(8)
        ]
        (folder / "data" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "words.py").write_text(PROGRAM)
    labelled = [{"text": f"{n}." if n % 2 else "No.", "label": bool(n % 2)} for n in range(8)]
    (folder / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled))
    (folder / "small.yaml").write_text(suite)
    store = open_store(folder / "store")
    loaded = load_suite(str(folder / "small.yaml"))
    drawn = plan(loaded, pins(loaded, device="cpu", offline=True, cache=store.root / "digests.json"))
    done = run(drawn, store, Runtime(workers=0, offline=True), Silent())
    assert {outcome.state for outcome in done.outcomes.values()} == {"done"}, done.outcomes
    return drawn, store


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    return finished_run(tmp_path_factory.mktemp("echoed"), ECHO)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    pytest.importorskip("evaluate")
    return finished_run(tmp_path_factory.mktemp("trained"), TRAINED)


def left(drawn: Plan, store: Store) -> dict[str, set[str]]:
    """Return what the steps of each kind left in their folders."""
    names: dict[str, set[str]] = defaultdict(set)
    for step in drawn.steps:
        names[step.kind] |= {path.name for path in store.done(step.id).iterdir()} - {RECORD}
    return names


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_step_declares_all_that_is_asked_of_it(kind: str) -> None:
    step = find(kind)
    assert [name for name in DECLARED if not hasattr(step, name)] == []
    assert isinstance(step.VERSION, int)
    assert (type(step.LANE), type(step.TOLERANT)) == (bool, bool)
    assert all(isinstance(name, str) for name in (*step.LIBRARIES, *step.FILES))
    assert len(set(step.FILES)) == len(step.FILES)


def test_a_plan_gives_a_lane_to_the_kinds_that_ask_for_one(echoed: tuple[Plan, Store]) -> None:
    for step in echoed[0].steps:
        assert bool(step.lane) == find(step.kind).LANE, step.label


def test_steps_leave_the_files_that_they_say(echoed: tuple[Plan, Store]) -> None:
    names = left(*echoed)
    assert set(names) == {"load", "generate", "score", "compare", "report"}
    for kind, written in names.items():
        assert written == set(find(kind).FILES) - NOT_HERE.get(kind, set()), kind


# Files of a training; a file of warnings, where a metric's library gives none; what a server counts.
NOT_HERE = {
    "load": {"validation.jsonl", "validation.index.json"},
    "score": {"warnings.json"},
    "generate": {"spent.json"},
}


@pytest.mark.slow
def test_steps_that_train_leave_the_files_that_they_say(trained: tuple[Plan, Store]) -> None:
    names = left(*trained)
    assert set(names) == set(KINDS)
    for kind in KINDS:
        assert names[kind] <= set(find(kind).FILES), kind
        assert set(find(kind).FILES) - names[kind] <= {warned.FILE, "spent.json"}, (
            kind
        )  # neither warnings nor a server


@pytest.mark.slow
def test_a_result_holds_what_every_kind_of_step_contributes(trained: tuple[Plan, Store]) -> None:
    drawn, store = trained
    (report,) = [step for step in drawn.steps if step.kind == "report"]
    result = read(store.done(report.id))
    parts = dict(zip(report.needs, report.spec.parts, strict=True))  # type: ignore[attr-defined]
    for step in drawn.steps:
        if step is report:
            continue
        finished = Finished(
            id=step.id, part=parts[step.id], folder=store.done(step.id), record=store.record(step.id)
        )
        found = find(step.kind).contributes(finished)
        assert isinstance(found, Contribution)
        assert found != Contribution() or step.kind == "load", step.label
        for field in dataclasses.fields(found):
            for record in getattr(found, field.name):
                assert dataclasses.is_dataclass(record)
                of_adapter = isinstance(record, Cost) and record.task is None
                assert record in getattr(result, field.name) or of_adapter, record
    once = [(cost.system, cost.quantity) for cost in result.costs if cost.task is None]
    assert len(set(once)) == len(once) > 0


def constants(path: Path) -> set[str]:
    """Return the texts in a file's code; a docstring counts as one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_name_of_a_step_s_file_stands_in_one_module() -> None:
    """Who writes a file also reads it: other modules ask for what it holds, not for the file."""
    names = {name for kind in KINDS if kind not in OF_A_RESULT for name in find(kind).FILES if "." in name}
    assert {"cost.json", "scores.json", "rows.npz", "curve.jsonl"} <= names
    named = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for name in names & constants(path):
            named[name].append(path.relative_to(PACKAGE).as_posix())
    assert {name: files for name, files in named.items() if len(files) > 1} == {}


def test_plug_in_folders_of_steps_hold_plug_ins_alone() -> None:
    assert {path.stem for path in (PACKAGE / "run" / "steps").glob("*.py")} == {"__init__", *KINDS}


def test_a_step_gets_no_more_than_its_context() -> None:
    """A step that took a store from the path of its folder could not be run elsewhere."""
    assert "store" not in {field.name for field in dataclasses.fields(StepContext)}
    for kind in KINDS:
        source = (PACKAGE / "run" / "steps" / f"{kind}.py").read_text(encoding="utf-8")
        assert "harness.run.store" not in source, kind
