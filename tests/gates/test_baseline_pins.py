"""A baseline is an input of the report: a changed one is judged anew, and nothing else is done again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run.repair import missing
from harness.run.store import open_store
from harness.suite.load import load_suite

SUITE = """
tasks: [{name: t, source: {uri: 'file:.'}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}]
weights: false
gates:
  - {adapter: base, max_drop: 1, against: b.json}
  - {adapter: base, min_value: 50}
"""


def harness(folder: Path, *words: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True
    ).returncode


def todo(folder: Path) -> list[str]:
    """Kinds of the steps that a run would do."""
    suite = load_suite("small.yaml")
    found = pins(suite, device="cpu", cache=folder / ".harness" / "digests.json")
    return [step.kind for step in missing(plan(suite, found), open_store(folder / ".harness"))]


@pytest.mark.slow
def test_an_edited_baseline_makes_the_report_and_only_the_report_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"input": f"in {n}", "reference": f"in {n}" if n % 2 else f"out {n}"} for n in range(20)]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE)
    run = ("run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    assert harness(tmp_path, *run) == 5  # there is no baseline yet
    assert todo(tmp_path) == []

    assert harness(tmp_path, "baseline", "result", "-o", "b.json") == 0
    assert todo(tmp_path) == ["report"]
    assert harness(tmp_path, *run) == 0
    assert todo(tmp_path) == []

    text = (tmp_path / "b.json").read_text()
    (tmp_path / "b.json").write_text(text.replace('"place": 3', '"place": 4', 1))
    assert todo(tmp_path) == ["report"]
    assert harness(tmp_path, *run) == 5  # changed by hand

    (tmp_path / "b.json").write_text(text)
    assert todo(tmp_path) == []  # what was judged by it is still kept


def test_what_gates_compare_with_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test.jsonl").write_text('{"input": "a", "reference": "a"}\n')
    (tmp_path / "small.yaml").write_text(
        SUITE + "  - {max_drop: 1, against: .}\n  - {max_drop: 1, against: base}\n"
    )
    cache = tmp_path / "digests.json"
    found = pins(load_suite("small.yaml"), device="cpu", cache=cache).baselines
    assert found == {"b.json": "missing", ".": "missing"}  # a folder is no file
    (tmp_path / "b.json").write_text("{}")
    assert len(pins(load_suite("small.yaml"), device="cpu", cache=cache).baselines["b.json"]) > 10
