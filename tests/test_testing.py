"""Small RESULTs for tests, users' own too."""

from dataclasses import replace
from pathlib import Path

import pytest

import harness
from harness.results import Result, TaskFacts, read
from harness.testing import make_result
from harness.types import Sample, System
from harness.verification import verify

BASE, TUNED = System(model="m"), System(model="m", adapter="x")
SAMPLES = [
    Sample(id=f"s{i}", input=f"question {i}", references=(f"answer {i}",), metadata={"chat": f"c{i // 4}"})
    for i in range(20)
]
ANSWERS = {
    BASE: ["answer 1"] * 20,
    TUNED: [f"answer {i}" for i in range(20)],
    System(model="trivial:copy"): [sample.input for sample in SAMPLES],
}


@pytest.mark.parametrize("cluster", [None, "chat"])
@pytest.mark.parametrize("plugins", [("f1", "exact"), ("rouge", "bleu")])
def test_a_made_result_verifies(tmp_path: Path, plugins: tuple[str, ...], cluster: str | None) -> None:
    primary = "f1" if "f1" in plugins else "rougeL"
    task = TaskFacts(name="t", primary=primary, metrics=plugins, share="text", cluster=cluster)
    assert verify(make_result(tmp_path / "made", SAMPLES, ANSWERS, task=task)) == []


def test_a_made_result_is_whole(tmp_path: Path) -> None:
    result = read(make_result(tmp_path / "made", SAMPLES, ANSWERS))
    assert {score.value for score in result.scores if score.system == TUNED} == {100.0}
    assert result.adapter(TUNED) is not None and result.adapter(BASE) is None
    assert result.model("m") is not None and result.model("trivial:copy") is None
    assert result.task("t").primary == "f1"
    assert len(harness.load(result.folder).generations) == 3 * 20


def test_what_a_test_needs_otherwise_is_edited(tmp_path: Path) -> None:
    def worse(result: Result) -> Result:
        return replace(result, manifest=replace(result.manifest, seed=7))

    assert read(make_result(tmp_path / "made", SAMPLES, ANSWERS, edit=worse)).seed == 7
