"""Reading a task's data: notes on its references, and an id that changes only where a rule of reading changed a text."""

import json
from pathlib import Path

import pytest

from harness.digest import digest
from harness.files.json_lines import read_lines
from harness.plan.builder import without_paths
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run.steps import Finished, ModelInMemory, PlanPart, StepContext, split_file
from harness.run.steps import load as step
from harness.suite.load import load_suite
from harness.types import Runtime, Sample, Step

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {input: input, reference: [a, b]}}
    prompt: "$input"
    metrics: [exact]
    primary: exact
models: [{name: copy, uri: "echo:copy"}]
weights: false
"""


def loading(folder: Path, rows: list[dict[str, str]]) -> Step:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "small.yaml").write_text(SUITE)
    suite = load_suite(str(folder / "small.yaml"))
    return plan(suite, pins(suite, device="cpu", offline=True, cache=folder / "digests.json")).steps[0]


def finished(planned: Step, folder: Path) -> Finished:
    assert isinstance(planned.spec, step.Load)
    folder.mkdir()
    runtime = Runtime(offline=True)
    context = StepContext(folder=folder, needs=(), runtime=runtime, loaded=ModelInMemory(runtime))
    step.run(planned.spec, context)
    return Finished(id=planned.id, part=PlanPart(kind="load", task="chats"), folder=folder, record={})


def test_trimmed_and_skipped_references_are_noted(tmp_path: Path) -> None:
    rows = [{"input": "x", "a": " one\n", "b": ""}, {"input": "y", "a": "two", "b": "three"}]
    done = finished(loading(tmp_path, rows), tmp_path / "step")
    assert [s.references for s in read_lines(split_file(done.folder, "test"), Sample)] == [
        ("one",),
        ("two", "three"),
    ]
    assert [(note.kind, note.where, note.count, note.of) for note in step.contributes(done).notes] == [
        ("trimmed references", "chats", 1, 3),
        ("empty reference cells", "chats", 1, 4),
    ]


def test_a_step_of_an_earlier_version_has_no_remarks(tmp_path: Path) -> None:
    done = finished(loading(tmp_path, [{"input": "x", "a": "one", "b": "two"}]), tmp_path / "step")
    assert step.contributes(done).notes == ()
    (done.folder / step.REMARKS).unlink()
    assert step.contributes(done).notes == ()


@pytest.mark.parametrize(("text", "rules"), [("one", ()), (" one", ("trimmed references",))])
def test_the_id_names_a_rule_only_where_it_changed_a_text(
    tmp_path: Path, text: str, rules: tuple[str, ...]
) -> None:
    planned = loading(tmp_path, [{"input": "x", "a": text, "b": "two"}])
    assert isinstance(planned.spec, step.Load)
    assert planned.spec.rules == rules
    spec = without_paths(planned.spec)
    assert ("rules" in spec) == bool(rules)
    libraries = {name: version for name, version in _libraries().items() if name in step.LIBRARIES}
    assert planned.id == digest("load", step.VERSION, spec, (), libraries)


def _libraries() -> dict[str, str]:
    from harness.files.installed import versions

    return dict(versions(step.LIBRARIES))


def test_the_second_plan_remembers_what_the_first_found(tmp_path: Path) -> None:
    first = loading(tmp_path, [{"input": "x", "a": " one", "b": "two"}])
    suite = load_suite(str(tmp_path / "small.yaml"))
    again = pins(suite, device="cpu", offline=True, cache=tmp_path / "digests.json")
    assert plan(suite, again).steps[0].id == first.id
