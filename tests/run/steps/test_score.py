"""Answers meet their samples as they pass by."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import StepError
from harness.files.json_lines import read_json, write_indexed, write_lines
from harness.metrics import load
from harness.run.steps import ModelInMemory, StepContext
from harness.run.steps.score import ScoreAnswers, run
from harness.types import Generation, Runtime, Sample, System

SAMPLES = [
    Sample(id=f"s{n}", input=f"in {n}", references=(f"word {n}",), metadata={"topic": "abc"[n % 3]})
    for n in range(9)
]
ANSWERS = [
    Generation(sample_id=one.id, text=one.references[0] if n % 2 else "else") for n, one in enumerate(SAMPLES)
]


def context(folder: Path, *blocks: list[Generation]) -> StepContext:
    """The step's own folder, and those of the task's data and of blocks of answers."""
    for name in ("own", "data"):
        (folder / name).mkdir()
    write_indexed(folder / "data" / "test.jsonl", SAMPLES)
    needs = [("data", folder / "data")]
    for number, block in enumerate(blocks):
        needs.append((f"block{number}", folder / f"block{number}"))
        needs[-1][1].mkdir()
        write_lines(needs[-1][1] / "generations.jsonl", block)
    return StepContext(
        folder=folder / "own", needs=tuple(needs), runtime=Runtime(), loaded=ModelInMemory(Runtime())
    )


def spec(**more: object) -> ScoreAnswers:
    whole: dict[str, object] = {
        "task": "chats", "system": System(model="m"), "metrics": ("exact", "f1"), "primary": "exact",
        "cluster": None, "rule": None, "samples": len(SAMPLES), "seed": 0, **more,
    }  # fmt: skip
    return ScoreAnswers(**whole)  # type: ignore[arg-type]


def test_rows_scores_and_answers_are_those_of_the_whole_lists(tmp_path: Path) -> None:
    given = context(tmp_path, ANSWERS[:4], ANSWERS[4:])
    run(spec(), given)
    with np.load(given.folder / "rows.npz") as rows:
        for name in ("exact", "f1"):
            row = load(name).row
            assert row is not None
            expected = [list(row(s, g)) for s, g in zip(SAMPLES, ANSWERS, strict=True)]
            assert rows[name].tolist() == expected
    assert read_json(given.folder / "ids.json") == [one.id for one in SAMPLES]
    assert read_json(given.folder / "clusters.json") is None
    lines = (given.folder / "generations.jsonl").read_text().splitlines()
    assert [json.loads(text)["text"] for text in lines] == [one.text for one in ANSWERS]
    scores = {one["metric"]: one for one in read_json(given.folder / "scores.json")}
    assert scores["exact"]["value"] == pytest.approx(100 * 4 / 9)
    assert scores["exact"]["n"] == 9
    assert "nrefs:1|" in scores["exact"]["signature"]


def test_clusters_are_numbered_as_they_come(tmp_path: Path) -> None:
    given = context(tmp_path, ANSWERS)
    run(spec(cluster="topic"), given)
    assert read_json(given.folder / "clusters.json") == [0, 1, 2] * 3


@pytest.mark.parametrize("lost", [[0], [3], [8], [2, 3, 7], list(range(9))])
def test_samples_without_an_answer_are_counted(tmp_path: Path, lost: list[int]) -> None:
    given = context(tmp_path, [one for n, one in enumerate(ANSWERS) if n not in lost])
    with pytest.raises(StepError, match=f"chats: {len(lost)} samples have no answer, the first 's{lost[0]}'"):
        run(spec(), given)


def test_a_rule_answers_the_first_samples_alone(tmp_path: Path) -> None:
    given = context(tmp_path)
    run(spec(rule="copy", samples=5), given)
    lines = (given.folder / "generations.jsonl").read_text().splitlines()
    assert [json.loads(text)["text"] for text in lines] == [f"in {n}" for n in range(5)]
