"""What an adapter forgot: the number, its place in pages and leaderboard, its gate, and what a suite may name."""

import csv
import gzip
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import results
from harness.errors import HarnessError, SuiteError
from harness.results.forgotten import forgotten
from harness.suite.load import load_suite
from harness.types import System
from tests.cli.words import exit_code

RECIPE = {
    "name": "hasty", "rank": 4, "alpha": 8, "targets": ["all-linear"], "steps": 6, "batch_size": 4, "learning_rate": 0.3,
    "schedule": "constant", "max_tokens": 160, "validation_samples": 0,
}  # fmt: skip
ADAPTER = System(model="m", adapter="hasty@dialogues")
AWAY = System(model="m", adapter="hasty@domain-text")


def suite(**changes: Any) -> dict[str, object]:
    return {
        "name": "keeps",
        "tasks": ["dialogues", "domain-text"],
        "models": [{"name": "m", "uri": "zoo:llama2-tiny"}],
        "recipes": [RECIPE],
        "train_on": ["dialogues", "domain-text"],
        "across": "own",
        "forgetting": "domain-text",
        "weights": False,
        **changes,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The RESULT of a suite whose adapter learns dialogues so hastily that it forgets."""
    here = tmp_path_factory.mktemp("keeps")
    harness.run(suite(), store=here / "store", out=here / "out", limit=24, workers=0, offline=True)
    return here / "out"


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def bits_per_byte(folder: Path, adapter: str | None) -> float:
    """Of the texts of domain-text, from the log-likelihoods and texts that the RESULT keeps."""
    texts = {
        line["sample_id"]: line["input"]
        for line in lines(folder / "samples.jsonl.gz")
        if line["task"] == "domain-text"
    }
    found = {
        line["sample_id"]: line["logprob"]
        for line in lines(folder / "generations.jsonl.gz")
        if (line["task"], line["model"], line["adapter"]) == ("domain-text", "m", adapter)
    }
    assert found.keys() == texts.keys() and len(found) == 24
    return -sum(found.values()) / math.log(2) / sum(len(text.encode()) for text in texts.values())


@pytest.mark.slow
def test_the_number_is_the_loss_in_bits_per_byte_against_the_base(folder: Path) -> None:
    result = results.read(folder)
    found = forgotten(result)
    assert set(found) == {ADAPTER}, "an adapter that was trained on the text has forgotten nothing of it"
    one = found[ADAPTER]
    wanted = bits_per_byte(folder, ADAPTER.adapter) - bits_per_byte(folder, None)
    assert one.lost == pytest.approx(wanted, abs=1e-9) and wanted > 0.1
    assert one.low < one.lost < one.high
    assert one.change.p_holm is not None and one.change.p_holm < 0.05


@pytest.mark.slow
def test_pages_leaderboard_and_answer_say_it(folder: Path, tmp_path: Path) -> None:
    lost = forgotten(results.read(folder))[ADAPTER].lost
    shown = f"+{lost:.2f}"
    for name in ("report.html", "report.md"):
        page = (folder / name).read_text(encoding="utf-8")
        assert "Gained and forgotten" in page and shown in page
        assert f" forgot: {shown}" in page
    assert (folder / "charts" / "forgetting.svg").is_file()
    board = tmp_path / "board.csv"
    assert exit_code(["leaderboard", str(folder), "--out", str(board)]) == 0
    with board.open(encoding="utf-8") as file:
        rows = {(row["task"], row["adapter"]): row for row in csv.DictReader(file)}
    assert float(rows["dialogues", ADAPTER.adapter or ""]["forgotten"]) == pytest.approx(lost, abs=1e-12)
    assert rows["dialogues", ""]["forgotten"] == rows["domain-text", AWAY.adapter or ""]["forgotten"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "word"), [(50.0, "pass"), (0.0, "fail"), (None, "inconclusive")])
def test_the_gate_passes_where_the_whole_interval_is_below_the_limit(
    folder: Path, limit: float | None, word: str
) -> None:
    one = forgotten(results.read(folder))[ADAPTER]
    rule = {
        "max_forgetting": one.lost if limit is None else limit
    }  # the truth may lie on either side of the number itself
    judged = harness.gate(
        folder, rules={"gates": [{"task": "domain-text", "adapter": ADAPTER.adapter, **rule}]}
    )
    (verdict,) = judged.verdicts
    assert (verdict.rule, verdict.verdict) == ("max_forgetting", word)


def test_the_text_need_not_be_a_task_of_the_suite() -> None:
    read = load_suite(suite(tasks=["dialogues"], train_on=["dialogues"]))
    assert [task.name for task in read.tasks] == ["dialogues", "domain-text"] and read.train_on == (
        "dialogues",
    )
    assert load_suite(suite(forgetting=None)).forgetting is None


def test_a_text_that_is_not_there_is_told_at_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "texts.yaml").write_text(
        "kind: perplexity\nsource: {uri: file:nothing, columns: {input: text}}\nprompt: $input\n"
        "metrics: [perplexity]\nprimary: bits_per_byte\n"
    )
    given = suite(tasks=["dialogues"], train_on=["dialogues"], forgetting=str(tmp_path / "texts.yaml"))
    with pytest.raises(HarnessError, match=r"texts\.yaml:2: source\.uri: .*nothing"):
        harness.plan(given, store=tmp_path / "store", offline=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"forgetting": "instructions"}, "forgetting: the task instructions is of kind generate; name one of kind perp"),
        ({"forgetting": "domain-txt"}, "forgetting: no task named 'domain-txt'; did you mean 'domain-text'"),
        ({"forgetting": 3}, "forgetting: found the number 3"),
        ({"gates": [{"task": "domain-text", "max_forgetting": -1}]}, "max_forgetting: found the number -1.0"),
    ],
)  # fmt: skip
def test_what_measures_no_forgetting_is_refused(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(**changes))
    assert said in str(refused.value)
