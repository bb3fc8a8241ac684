"""A metric that is a function of all rows is judged, compared, verified, rescored and ranked as any other."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from harness.commands.leaderboard import make
from harness.commands.rescore import rescore
from harness.compare import side_by_side
from harness.gates.judge import judge
from harness.results import read, redact
from harness.results.document import write_document
from harness.types import System
from harness.verification import verify

SUITE = """
tasks:
  - {name: labels, source: {uri: "file:labels", columns: {id: id}, share: text}, prompt: "$input",
     metrics: [f1_macro, exact], primary: f1_macro, trivial: [majority]}
  - {name: numbers, source: {uri: "file:numbers", columns: {id: id}, share: text}, prompt: "$input",
     metrics: [spearman, mse], primary: spearman, cluster: group}
models: [{name: a, uri: "echo:first-line"}, {name: b, uri: "echo:copy"}]
weights: false
gates:
  - {model: a, adapter: base, task: labels, metric: f1_macro, min_value: 20}
  - {model: a, adapter: base, task: labels, metric: matthews, min_value: -50}
  - {model: a, adapter: base, task: numbers, metric: spearman, min_value: 10}
"""


def harness(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode in (0, 5), done.stderr  # a gate's metric is missing until the RESULT is rescored
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks on which model a is right more often than model b."""
    place, random = tmp_path_factory.mktemp("statistics"), Random(0)
    for name in ("labels", "numbers"):
        (place / name).mkdir()
        for split in ("train", "test"):
            rows = []
            for n in range(60):
                wanted = random.choice("abc") if name == "labels" else f"{random.random():.3f}"
                given = (
                    wanted if n % 4 else random.choice(["a", "b"] if name == "labels" else ["0.5", "none"])
                )
                more = "\nmore" if n % 5 == 0 else ""
                own = {"group": n // 3, "topic": "xyz"[n % 3]}
                rows.append({"id": f"s{n}", "input": given + more, "reference": wanted, **own})
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (place / name / f"{split}.jsonl").write_text(text)
    (place / "suite.yaml").write_text(SUITE)
    harness(place, "run", "suite.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    return place


@pytest.mark.slow
def test_such_scores_have_intervals_comparisons_and_verdicts(folder: Path) -> None:
    result = read(folder / "result")
    scores = {(one.task, one.system, one.metric): one for one in result.scores}
    for task, metric in (("labels", "f1_macro"), ("numbers", "spearman")):
        score = scores[task, System(model="a"), metric]
        assert score.low is not None and score.high is not None
        assert score.low < score.value < score.high
        (pair,) = (
            one
            for one in result.comparisons
            if (one.task, one.metric) == (task, metric)
            if {one.baseline.model, one.candidate.model} == {"a", "b"}
        )
        assert pair.low < pair.difference < pair.high
        assert 0 < pair.p <= 1 and pair.p_holm is not None and pair.detectable > 0
    verdicts = {
        (verdict.task, verdict.metric): verdict.verdict for verdict in judge(folder / "result").verdicts
    }
    assert verdicts["labels", "f1_macro"] == verdicts["numbers", "spearman"] == "pass"


@pytest.mark.slow
def test_such_scores_are_verified_with_texts_and_without(folder: Path, tmp_path: Path) -> None:
    assert verify(folder / "result") == []
    private = Path(shutil.copytree(folder / "result", tmp_path / "private"))
    document = json.loads((private / "result.json").read_bytes())
    for task in document["suite"]["tasks"]:
        task["share"] = "scores"
    write_document(private, document)
    redact.copy(private, tmp_path / "copy")
    assert read(tmp_path / "copy").withheld == ("labels", "numbers")
    assert verify(tmp_path / "copy") == []


@pytest.mark.slow
def test_such_a_metric_can_be_added_later_and_judged(folder: Path, tmp_path: Path) -> None:
    more = Path(shutil.copytree(folder / "result", tmp_path / "more"))
    rescore(more, ["matthews"], more)
    assert verify(more) == []
    (verdict,) = (one for one in judge(more).verdicts if one.metric == "matthews")
    assert verdict.verdict == "pass"
    rescore(more, ["f1_macro"], more, again=True)
    before, after = (
        [one for one in read(place).comparisons if one.metric == "f1_macro" and one.task == "labels"]
        for place in (folder / "result", more)
    )
    assert len(before) == len(after) > 0
    for one, other in zip(before, after, strict=True):
        assert (one.baseline, one.candidate, one.p, one.p_holm) == (
            other.baseline,
            other.candidate,
            other.p,
            other.p_holm,
        )
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


@pytest.mark.slow
def test_results_with_such_scores_are_compared_and_ranked(folder: Path) -> None:
    result = str(folder / "result")
    found = side_by_side(f"{result}#b", f"{result}#a", metric="*", samples=3)
    lines = {(task.name, line.metric): line for task in found.tasks for line in task.lines}
    recorded = {
        (one.task, one.metric): one
        for one in read(folder / "result").comparisons
        if {one.baseline, one.candidate} == {System(model="a"), System(model="b")}
    }
    for key in (("labels", "f1_macro"), ("numbers", "spearman")):
        comparison = lines[key].comparison
        assert comparison is not None
        assert comparison.p == recorded[key].p
        assert abs(comparison.difference) == pytest.approx(abs(recorded[key].difference))
    assert lines["labels", "f1_macro"].changes
    assert not lines["numbers", "spearman"].changes  # a single sample has no correlation
    assert lines["labels", "f1_macro"].shares is not None
    assert lines["numbers", "spearman"].shares is None
    board, _ = make([folder / "result"])
    entries = [(line.entry, line.rank) for group in board.groups for line in group.lines]
    ranks = {(entry.task.name, str(entry.score.system)): rank for entry, rank in entries}
    assert ranks["labels", "a"] == ranks["numbers", "a"] == 1
    assert all(entry.shares is not None for entry, _ in entries)


@pytest.mark.slow
def test_no_error_in_27_samples_is_no_proof_that_there_is_none(tmp_path: Path) -> None:
    """No resample of right answers has an error: macro F1 gets the interval that Wilson's gives the accuracy."""
    (tmp_path / "data").mkdir()
    for split in ("train", "test"):
        rows = [{"id": f"{split}{n}", "input": "abc"[n % 3], "reference": "abc"[n % 3]} for n in range(27)]
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "right.yaml").write_text("""
tasks:
  - {name: labels, source: {uri: "file:data", columns: {id: id}, share: text}, prompt: "$input",
     metrics: [f1_macro, exact], primary: f1_macro}
models: [{name: a, uri: "echo:copy"}]
weights: false
gates:
  - {model: a, adapter: base, metric: f1_macro, min_value: 99.9}
  - {model: a, adapter: base, metric: exact, min_value: 99.9}
  - {model: a, adapter: base, metric: f1_macro, min_value: 80}
""")
    harness(tmp_path, "run", "right.yaml", "--store", "S", "--out", "R", "--quiet", "--inconclusive", "warn")
    result = read(tmp_path / "R")
    ends = {score.metric: (score.low, score.high) for score in result.scores}
    assert ends["f1_macro"] == pytest.approx(ends["exact"])
    low, high = ends["f1_macro"]
    assert low == pytest.approx(100 * 27 / (27 + 1.959963984540054**2)) and high == 100
    assert [verdict.verdict for verdict in judge(tmp_path / "R").verdicts] == [
        "inconclusive",
        "inconclusive",
        "pass",
    ]


@pytest.mark.slow
def test_pages_have_slices_and_say_what_is_shown_of_a_sample(folder: Path) -> None:
    result, page = read(folder / "result"), (folder / "result" / "report.html").read_text()
    shown = {"labels": "Right answer", "numbers": "Distance from the reference"}
    found = re.search(r'<script[^>]*id="samples-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    book = json.loads(found[1])
    place = [one["name"] for one in book["systems"]].index("a")
    for task in book["tasks"]:
        assert task["metric"] == shown[task["name"]]
        assert "has no value for a single sample. Shown instead:" in task["instead"]
        for score, answer, references in zip(
            task["scores"][place], task["answers"][place], task["references"], strict=True
        ):
            if task["name"] == "labels":
                assert score == 100 * (answer == references[0])
            else:
                wanted = None if answer == "none" else abs(float(answer) - float(references[0]))
                assert score == pytest.approx(wanted, abs=6e-4)  # rounded to three decimals
    text = (folder / "result" / "report.md").read_text()
    assert text.count("<details><summary>By topic</summary>") == len(result.suite.tasks)
    assert text.count("has no value for a single sample.") == len(result.suite.tasks)
    assert "better on 0" not in text and "nan" not in text.casefold()
