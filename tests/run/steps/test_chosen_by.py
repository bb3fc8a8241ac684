"""The score that chooses a checkpoint is the score that the adapter then has on the validation samples."""

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pytest
from rouge_score.rouge_scorer import RougeScorer

import harness
from harness import data, kinds, results
from harness.backends import of
from harness.checkpoints.remembered import Remembered
from harness.errors import SuiteError
from harness.neural.huggingface import HuggingFace
from harness.results import Curve
from harness.suite.load import load_suite
from harness.types import Runtime, Suite

RECIPE = {
    "name": "short", "rank": 4, "alpha": 8, "targets": ["q", "v"], "steps": 6, "validations": 3, "batch_size": 4,
    "learning_rate": 5e-3, "max_tokens": 128, "validation_samples": 5, "choose_by": "primary",
}  # fmt: skip


def suite(task: str, model: str, **changes: Any) -> dict[str, object]:
    return {
        "name": "chosen",
        "tasks": [task],
        "models": [{"name": "m", "uri": f"zoo:{model}"}],
        "recipes": [{**RECIPE, **changes}],
        "train_on": [task],
        "weights": False,
    }


def ran(given: Mapping[str, object], folder: Path) -> Curve:
    harness.run(
        given, store=folder / "store", out=folder / "out", limit=3, workers=0, offline=True, progress=False
    )
    (curve,) = results.read(folder / "out").curves
    return curve


@pytest.mark.slow
def test_rouge_of_validation_answers_chooses(tmp_path: Path) -> None:
    given = suite("dialogues", "llama2-tiny", choose_by="rouge1")
    curve = ran(given, tmp_path)
    scores = {
        point.step: point.validation_score for point in curve.points if point.validation_score is not None
    }
    assert curve.chosen_by == "rouge1" and sorted(scores) == [2, 4, 6]
    (folder,) = (path.parent for path in (tmp_path / "store/done").glob("*/trained.json"))
    kept = json.loads((folder / "trained.json").read_text())["best_step"]
    assert scores[kept] == max(scores.values())
    assert validation_rouge1(load_suite(given), folder / "adapter") == pytest.approx(scores[kept], abs=1e-9)


def validation_rouge1(read: Suite, adapter: Path) -> float:
    """ROUGE-1 of a trained adapter's answers to its validation samples, by rouge_score alone."""
    task, model = read.tasks[0], read.models[0]
    samples = Random("validation-0").sample(list(data.read(task.source, "validation")), 5)
    backend = of(model)
    opened = backend.open(
        model, backend.pin(model, "cpu", Remembered(), True), Runtime(device="cpu", threads=1)
    )
    assert isinstance(opened, HuggingFace)
    asked = [kinds.find(task.kind).ask(task, sample, ()) for sample in samples]
    texts = {one.sample_id: one.text for one in opened.write(asked, task.decode, task.overflow, adapter)}
    scorer = RougeScorer(["rouge1"], use_stemmer=True)
    return 100 * mean(
        scorer.score_multi(list(sample.references), texts[sample.id])["rouge1"].fmeasure for sample in samples
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "model", "score", "best"),
    [("sentiment", "bert-tiny", "accuracy", max), ("domain-text", "llama2-tiny", "bits_per_byte", min)],
)
def test_heads_and_likelihoods_choose_too(
    tmp_path: Path, task: str, model: str, score: str, best: Any
) -> None:
    curve = ran(suite(task, model), tmp_path)
    scores = {
        point.step: point.validation_score for point in curve.points if point.validation_score is not None
    }
    (folder,) = (path.parent for path in (tmp_path / "store/done").glob("*/trained.json"))
    assert curve.chosen_by == score and len(scores) == 3
    assert scores[json.loads((folder / "trained.json").read_text())["best_step"]] == best(scores.values())


REFUSED = [
    ({"choose_by": "rougeX"}, "recipes[0].choose_by: no score of dialogues named 'rougeX'; did you mean 'rougeL'"),
    ({"validation_samples": 0}, "recipes[0].choose_by: there is nothing to measure with validation_samples: 0"),
    ({"patience": 3}, "recipes[0].patience: found 3, and the recipe measures 3 times; raise `validations`"),
    ({"patience": 0}, "recipes[0].patience: found the number 0; give 1 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_cannot_choose_is_refused(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SuiteError) as refused:
        load_suite(suite("dialogues", "llama2-tiny", **changes))
    assert said in str(refused.value) and "\n" not in str(refused.value)
