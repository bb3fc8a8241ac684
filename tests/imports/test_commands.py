"""Everything that works on a RESULT of a run works on one that was imported."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from harness.cli import app, failures
from harness.results import read, read_document, redact
from harness.results.schema import json_schema
from tests.imports.conftest import FILES

BASE, ADAPTER = "llama2-tiny", "llama2-tiny+dialogues-r4"
RULES = """
gates:
  - {task: dialogues, adapter: dialogues-r4, metric: chrf, must_beat: true}
  - {task: medical, adapter: dialogues-r4, max_drop: 50}
"""


def harness(*words: str) -> int:
    return failures.guarded(lambda: app([*words], prog_name="harness", standalone_mode=False))


@pytest.fixture
def result(of_lm_eval: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(of_lm_eval, tmp_path / "R")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "R"


def test_verify(result: Path, of_inspect: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("verify", "R") == 0
    assert "R: every score follows from its generations" in capsys.readouterr().out
    assert harness("verify", str(of_inspect)) == 0


def test_compare_two_systems_and_two_results(
    result: Path, of_lm_eval: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harness("compare", f"R#{BASE}", f"R#{ADAPTER}", "--json", "--metric", "*") == 0
    found = json.loads(capsys.readouterr().out)
    assert "chrf" in json.dumps(found)
    assert harness("compare", "R", str(of_lm_eval)) == 0


def test_gate(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rules.yaml").write_text(RULES)
    assert harness("gate", "R", "--rules", "rules.yaml") == 0
    assert "Both gates passed" in capsys.readouterr().out
    assert harness("baseline", "R", "-o", "base.json") == 0
    Path("against.yaml").write_text("gates: [{task: medical, max_drop: 50, against: base.json}]\n")
    assert harness("gate", "R", "--rules", "against.yaml") == 0


def test_rescore_adds_a_metric_that_verify_confirms(result: Path) -> None:
    assert (
        harness("rescore", "R", "--metric", "rouge", "--metric", "theirs(score=exact_match)", "--out", "more")
        == 2
    )
    assert not Path("more").exists()  # medical has no exact_match
    assert harness("rescore", "R", "--metric", "rouge", "--out", "more") == 0
    assert harness("verify", "more") == 0
    found = read(Path("more"))
    assert any(pair.metric == "rougeL" and pair.candidate.adapter for pair in found.comparisons)


@pytest.mark.slow
def test_leaderboard(result: Path, of_inspect: Path) -> None:
    assert harness("leaderboard", "R", str(of_inspect), "-o", "board.md", "-o", "board.html") == 0
    assert "dialogues-r4" in Path("board.md").read_text()


@pytest.mark.slow
def test_report_and_its_shareable_copy(result: Path) -> None:
    assert harness("report", "R") == 0
    page = Path("R/report.md").read_text()
    assert "lm-eval 0.4.13" in page
    assert harness("report", "R", "--shareable", "-o", "copy") == 0
    text = "Ian will get a cat named Coco on Wednesday."
    shared = b"".join(path.read_bytes() for path in Path("copy").rglob("*") if path.is_file())
    assert text.encode() not in shared
    assert {score.value for score in read(Path("copy")).scores} == {
        score.value for score in read(result).scores
    }


def test_card(result: Path) -> None:
    assert harness("card", "R", "--model", BASE, "--adapter", "dialogues-r4", "-o", "card.md") == 0
    card = Path("card.md").read_text()
    assert "dialogues-r4" in card and "chrF" in card


def test_export(result: Path) -> None:
    assert harness("export", "R", "--to", "csv", "-o", "tables") == 0
    assert "dialogues-r4" in Path("tables/scores.csv").read_text()


def test_the_result_is_what_its_schema_says(result: Path, of_inspect: Path) -> None:
    for folder in (result, of_inspect):
        document = read_document(folder)
        jsonschema.validate(document, json_schema())
        jsonschema.validate(redact.document(document), json_schema())


def test_the_scores_of_another_program_cannot_be_changed_unseen(of_inspect: Path, tmp_path: Path) -> None:
    """The numbers that Inspect gave are part of the digests of the answers."""
    import gzip

    shutil.copytree(of_inspect, tmp_path / "R")
    path = tmp_path / "R" / "generations.jsonl.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    assert '"given": {"match": 1.0' in text
    path.write_bytes(
        gzip.compress(text.replace('"given": {"match": 1.0', '"given": {"match": 0.0', 1).encode())
    )
    assert harness("verify", str(tmp_path / "R")) == 2


@pytest.mark.slow
def test_the_command_as_a_user_types_it(tmp_path: Path) -> None:
    words = ["import", "inspect", *map(str, sorted((FILES / "inspect").glob("*-capitals.eval"))), "-o", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "capitals  Exact match  large  50.0" in done.stdout
    assert done.stdout.endswith("RESULT  out\nreport  out/report.html\n")
    assert read(tmp_path / "out").manifest.command == f"harness {' '.join(words)}"
    failed = subprocess.run(
        [sys.executable, "-m", "harness", "import", "inspect", "nothing.eval", "-o", "other"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 2
    assert len(failed.stderr.splitlines()) == 1
    assert not (tmp_path / "other").exists()
