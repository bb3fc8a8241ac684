"""`run --only`: gates that name only what is left out are not judged, and it is said which."""

import json
from pathlib import Path

import pytest

from harness.suite.load import load_suite
from tests.cli.words import harness

SUITE = """
tasks: [TASK, {name: u, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:copy'}]
adapters: [{name: mine, base: a, uri: './adapter'}]
weights: false
gates:
  - {model: a, adapter: base, min_value: 0}
  - {name: not worse, adapter: mine, max_drop: 100, min_value: 0}
  - {task: u, model: b, adapter: base, min_value: 0}
"""
TASK = "{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"id": f"s{n}", "input": f"word {n}", "reference": f"word {n}"} for n in range(20)]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "r": 8, "lora_alpha": 16}'
    )
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (tmp_path / "small.yaml").write_text(SUITE.replace("TASK", TASK))
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN = "run small.yaml --workers 0 --device cpu --store S --out R"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "judged", "left"),
    [
        ("t/a/base", ["min_value 0"], [1, 2]),
        ("*/b/base", ["min_value 0"], [0, 1]),
        ("t/b/base", [], [0, 1, 2]),
        ("*/a/*", ["min_value 0", "not worse, max_drop", "not worse, min_value"], [2]),
        ("*/*/*", ["min_value 0", "not worse, max_drop", "not worse, min_value"], []),
    ],
)
def test_a_part_is_judged_by_the_gates_that_it_covers(
    here: Path, capsys: pytest.CaptureFixture[str], only: str, judged: list[str], left: list[int]
) -> None:
    done = harness(capsys, *RUN.split(), "--only", only)
    assert done.code == 0, done.out + done.err
    said = [line for line in done.err.splitlines() if "is not judged: --only leaves out" in line]
    assert [int(line[6]) for line in said] == left
    names = {"gates[0] (min_value)", "gates[1] (not worse)", "gates[2] (min_value)"}
    assert {line.partition(" is not")[0] for line in said} <= names
    verdicts = here / "R" / "verdicts.json"
    found = json.loads(verdicts.read_text())["verdicts"] if verdicts.exists() else []
    assert sorted({verdict["gate"] for verdict in found}) == sorted(judged)
    assert {verdict["verdict"] for verdict in found} <= {"pass"}
    assert harness(capsys, "verify", "R").code == 0


def test_a_gate_that_names_nothing_at_all_is_still_invalid(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / "small.yaml"
    path.write_text(path.read_text().replace("adapter: mine, max_drop", "adapter: mien, max_drop"))
    done = harness(capsys, *RUN.split(), "--only", "t/a/base")
    assert done.code == 5
    assert "did you mean 'mine'" in " ".join(done.out.split()) or "names nothing here" in " ".join(
        done.out.split()
    )


@pytest.mark.slow
def test_plan_says_the_same_and_a_whole_run_is_judged_by_every_gate(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = harness(capsys, *"plan small.yaml --device cpu --store S --only t/a/base".split())
    assert "gates[1] (not worse) is not judged: --only leaves out what it names" in planned.out
    done = harness(capsys, *RUN.split())
    assert done.code == 0 and "is not judged" not in done.err
    assert len(load_suite("small.yaml").gates) == 3
