"""Kinds of task: the one that a task names does the work, or is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import kinds, plugins
from harness.errors import DataError, SuiteError, UnknownName
from harness.kinds import generate
from harness.suite.load import load_suite
from harness.types import Sample, Source, Task
from tests.cli.words import harness

SUITE = """
tasks:
  - name: chats
    kind: {kind}
    source: {{uri: "file:data", columns: {{input: dialogue, reference: summary}}}}
    prompt: "Sum up: $input"
    metrics: [exact]
    primary: exact
models: [{{name: copy, uri: "echo:copy"}}]
weights: false
"""

TASK = Task(name="t", source=Source(uri="file:x"), prompt="$input", metrics=("exact",), primary="exact")

BACKWARDS = """
from dataclasses import replace
from harness.kinds import Kind, generate

def ask(task, sample, shots):
    prompt = generate.ask(task, sample, shots)
    return replace(prompt, input=prompt.input[::-1])

KIND = Kind(
    name="backwards", choose_shots=generate.choose_shots, ask=ask, target=generate.target, answers={"write": generate.answer}
)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with data, in which plug-ins can be installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    plugins._entry_points.cache_clear()
    (tmp_path / "data").mkdir()
    row = {"dialogue": "hello there", "summary": "ereht olleh"}
    (tmp_path / "data" / "test.jsonl").write_text(json.dumps(row) + "\n")
    yield tmp_path
    plugins._entry_points.cache_clear()


def install(folder: Path, name: str, code: str) -> None:
    """Another package's kind of task."""
    described = folder / "installed" / f"{name}_plugin-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(f"[harness.kinds]\n{name} = {name}_kind\n")
    (folder / "installed" / f"{name}_kind.py").write_text(code)


def suite(folder: Path, kind: str) -> str:
    (folder / "small.yaml").write_text(SUITE.format(kind=kind))
    return str(folder / "small.yaml")


@pytest.mark.slow
def test_a_kind_that_a_task_names_does_the_work(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(here, "backwards", BACKWARDS)
    done = harness(
        capsys, "run", suite(here, "backwards"), "--workers", "0", "--device", "cpu", "--out", "R", "--json"
    )
    assert done.code == 0, done.err
    result = json.loads((here / "R" / "result.json").read_text())
    assert [score["value"] for score in result["scores"]] == [100.0]
    assert result["suite"]["tasks"][0]["kind"] == "backwards"
    written = harness(
        capsys, "run", suite(here, "generate"), "--workers", "0", "--device", "cpu", "--out", "W"
    )
    assert written.code == 0, written.err  # steps of another kind are other steps
    result = json.loads((here / "W" / "result.json").read_text())
    assert [score["value"] for score in result["scores"]] == [0.0]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("without", "", "the plug-in 'without' (without_kind) is no kind of task: it has no `KIND"),
        ("misnamed", BACKWARDS, "its KIND is named 'backwards'"),
        (
            "broken",
            "1 / 0",
            "the plug-in 'broken' (broken_kind) cannot be imported: ZeroDivisionError: division",
        ),
        (
            "listing",
            BACKWARDS.replace('"backwards"', '"listing", columns=("lines",)'),
            "KIND.columns holds 'lines'; known: id, input",
        ),
        (
            "mute",
            BACKWARDS.replace('"backwards"', '"mute"').replace("ask=ask", "ask=None"),
            "KIND.ask is no function",
        ),
    ],
)
def test_a_plug_in_that_is_no_kind_is_refused_with_its_place(
    here: Path, name: str, code: str, message: str
) -> None:
    install(here, name, code)
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(here, name))
    assert message in str(refused.value)
    assert "small.yaml:4: tasks[0].kind" in str(refused.value)


def test_an_unknown_kind_is_refused(here: Path) -> None:
    with pytest.raises(UnknownName, match=r"tasks\[0\]\.kind: no task kind named 'chioce'"):
        load_suite(suite(here, "chioce"))


@pytest.mark.parametrize("name", plugins.own_names("kinds"))
def test_every_kind_of_the_harness_is_sound(name: str) -> None:
    assert kinds.find(name).name == name


def test_more_examples_than_training_samples_are_refused() -> None:
    training = [Sample(id=str(n), input="x", references=("y",)) for n in range(3)]
    assert len(generate.choose_shots(training, 3, TASK)) == 3
    with pytest.raises(DataError, match="4 examples are asked for and the training split has 3 samples"):
        generate.choose_shots(training, 4, TASK)
