"""Numbers that others published stand below a task's own scores, marked as comparable or not, and move no step but the report."""

# ruff: noqa: E501 (a table is read along its lines)

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plan.plan import plan
from harness.report.published import published
from harness.results import TaskFacts
from harness.suite.load import load_task
from harness.types import Published
from tests.cli.words import harness
from tests.plan.test_ids import PINS, SUITE

ENTRY = Published(
    system="T5 | <b>large</b>",
    source="a paper",
    settings="beam search",
    scores={"rouge1": 50.386, "rougeL": 41.37},
    why="answers were sampled",
)


def test_published_numbers_move_the_report_alone() -> None:
    tasks = (replace(SUITE.tasks[0], published=(ENTRY,)),)
    before, after = (plan(suite, PINS) for suite in (SUITE, replace(SUITE, tasks=tasks)))
    changed = {step.id for step in after.steps} - {step.id for step in before.steps}
    assert {step.kind for step in after.steps if step.id in changed} == {"report"}


def test_the_primary_metric_comes_first_and_a_missing_number_stays_empty() -> None:
    other = replace(ENTRY, scores={"rouge1": 1.0}, comparable=True, why="", settings="")
    table = published(TaskFacts(name="t", primary="rougeL", metrics=("rouge",), published=(ENTRY, other)))
    assert table is not None
    assert table.metrics == ("ROUGE-L", "ROUGE-1")
    assert [line.values for line in table.lines] == [(41.37, 50.386), (None, 1.0)]
    assert [line.comparable for line in table.lines] == ["no: answers were sampled", "yes"]
    assert [line.source for line in table.lines] == ["a paper, beam search", "a paper"]
    assert published(TaskFacts(name="t", primary="rougeL", metrics=("rouge",))) is None


def test_the_shipped_task_names_what_was_published_for_it() -> None:
    found = load_task("samsum").published
    assert [entry.scores["rougeL"] for entry in found] == [41.37, 39.627, 45.9]
    assert not any(entry.comparable for entry in found)


SUITE_FILE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{input: dialogue, reference: summary}}}}
    prompt: "Sum up: $input"
    metrics: [rouge]
    primary: rougeL
    published:
      - {entry}
models: [{{name: copy, uri: "echo:copy"}}]
weights: false
"""
GOOD = {"system": ENTRY.system, "source": "a paper", "scores": dict(ENTRY.scores), "why": ENTRY.why}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    (tmp_path / "data").mkdir()
    row = {"dialogue": "hello there", "summary": "a greeting"}
    (tmp_path / "data" / "test.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def suite(folder: Path, **changed: object) -> str:
    entry = {key: value for key, value in {**GOOD, **changed}.items() if value is not None}
    (folder / "small.yaml").write_text(SUITE_FILE.format(entry=json.dumps(entry)))
    return str(folder / "small.yaml")


def test_both_pages_show_the_table_and_a_copy_keeps_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = harness(capsys, "run", suite(here), "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code == 0, done.err
    (task,) = json.loads((here / "R" / "result.json").read_text())["suite"]["tasks"]
    assert task["published"] == [{**GOOD, "settings": "", "comparable": False}]
    lines = (here / "R" / "report.md").read_text().splitlines()
    at = lines.index("| System | ROUGE-L | ROUGE-1 | Comparable | Source |")
    assert lines[at + 1 : at + 3] == [
        "|---|--:|--:|---|---|",
        "| T5 &#124; &lt;b&gt;large&lt;/b&gt; | 41.4 | 50.4 | no: answers were sampled | a paper |",
    ]
    page = (here / "R" / "report.html").read_text()
    assert "Published by others" in page and "T5 | &lt;b&gt;large&lt;/b&gt;" in page
    assert harness(capsys, "verify", "R").code == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": {"rogueL": 1.0}}, "small.yaml:9: tasks[0].published[0].scores.rogueL: no score among the task's metrics named 'rogueL'; did you mean 'rougeL'"),
        ({"scores": {}}, "published[0].scores: found none; give at least one"),
        ({"why": None}, "published[0].why: missing; say why the numbers cannot be compared, or write `comparable: true`"),
        ({"source": None}, "published[0].source: missing; add `source:`"),
        ({"scors": {}}, "published[0].scors: no key named 'scors'; did you mean 'scores'"),
    ],
)  # fmt: skip
def test_a_published_number_that_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], message: str
) -> None:
    done = harness(capsys, "check", suite(here, **changed), "--device", "cpu")
    assert done.code == 2
    assert message in " ".join(done.err.split())
