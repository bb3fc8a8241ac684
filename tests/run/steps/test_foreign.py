"""Metrics that are somebody's own programs: what they do wrong costs their own scores, and no other."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.words import harness

pytest.importorskip("evaluate")
pytestmark = pytest.mark.slow  # datasets and evaluate take seconds to import

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {input: dialogue, reference: summary}}
    prompt: "Sum up: $input"
    metrics: [exact, "evaluate:./words.py"]
    primary: PRIMARY
    trivial: [lead-3]
models: [{name: first, uri: "echo:first-line"}, {name: copy, uri: "echo:copy"}]
weights: false
"""

SCRIPT = """
import datasets
import evaluate

TEXT = datasets.Value("string")

class Words(evaluate.Metric):
    def _info(self):
        features = datasets.Features({"predictions": TEXT, "references": TEXT})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"words": RESULT}
"""
GOOD = "sum(len(one.split()) for one in predictions) / len(predictions)"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    (tmp_path / "data").mkdir()
    rows = [{"dialogue": f"Ann: taxi {n}?\nBen: No.", "summary": f"Ann: taxi {n}?"} for n in range(12)]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def run(
    here: Path, capsys: pytest.CaptureFixture[str], result: str, primary: str = "exact"
) -> tuple[int, str, dict[tuple[str, str], float]]:
    """Exit code, what was said, and the scores by system and metric."""
    (here / "small.yaml").write_text(SUITE.replace("PRIMARY", primary))
    (here / "words.py").write_text(SCRIPT.replace("RESULT", result))
    done = harness(capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R")
    scores = json.loads((here / "R" / "result.json").read_text())["scores"]
    return done.code, done.err, {(one["model"], one["metric"]): one["value"] for one in scores}


@pytest.mark.parametrize("primary", ["exact", "evaluate:words"])
def test_a_metric_that_fails_takes_no_other_along_and_is_tried_again(
    here: Path, capsys: pytest.CaptureFixture[str], primary: str
) -> None:
    code, said, scores = run(here, capsys, "1 / 0", primary)
    assert code == 3
    assert set(scores) == {("first", "exact"), ("copy", "exact"), ("trivial:lead-3", "exact")}
    assert re.search("failed: score chats, first by evaluate:words: .*the metric failed on 12 answers", said)
    assert "Traceback" not in said
    notes = json.loads((here / "R" / "result.json").read_text())["notes"]
    assert any(one["kind"] == "step failed" and "evaluate:words" in one["where"] for one in notes)
    code, said, again = run(here, capsys, GOOD, primary)
    assert code == 0, said
    assert again == scores | {
        ("first", "evaluate:words"): 3.0,
        ("copy", "evaluate:words"): 5.0,
        ("trivial:lead-3", "evaluate:words"): 5.0,
    }


def test_another_program_under_the_same_path_scores_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, first = run(here, capsys, GOOD)
    _, _, second = run(here, capsys, GOOD.replace("len(one.split())", "len(one)"))
    assert first["copy", "evaluate:words"] != second["copy", "evaluate:words"]
    assert first["copy", "exact"] == second["copy", "exact"]


def test_a_path_starts_at_the_task_s_file_in_a_task_and_at_the_working_folder_on_the_command_line(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(here, capsys, GOOD)[0] == 0
    (here / "elsewhere").mkdir()
    (here / "elsewhere" / "letters.py").write_text(SCRIPT.replace("RESULT", "len(predictions[0])"))
    monkeypatch.chdir(here / "elsewhere")
    done = harness(capsys, "rescore", "../R", "--metric", "evaluate:./letters.py")
    assert done.code == 0, done.err
    document = json.loads((here / "R" / "result.json").read_text())
    assert document["suite"]["tasks"][0]["metrics"] == [
        "exact", f"evaluate:{here}/words.py", f"evaluate:{here}/elsewhere/letters.py"
    ]  # fmt: skip
