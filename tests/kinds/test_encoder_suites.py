"""Encoders in a suite: labels and numbers by a head, beside models that write."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness import backends
from harness.commands.check import check
from harness.errors import SuiteError
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.report.loading import loading
from harness.results import read
from harness.run.steps.train import Train
from harness.types import Model, ModelPin, Plan, Recipe, Source, Suite, Task
from tests.cli.words import harness
from tests.neural.conftest import make_folder
from tests.neural.encoders import make_encoder

LATE, CAR = "Anna comes late because the train is late.", "Ben will bring the red car to the garage."
RECIPE = Recipe(name="r", steps=2, validation_samples=2)


def write(folder: Path, count: int = 12) -> None:
    """Two data sets of the same texts: a label for each, and a number for each."""
    for name, answers in (("moods", ("late", "car")), ("marks", ("2.5", "7"))):
        (folder / name).mkdir()
        for split in ("train", "validation", "test"):
            rows = [
                {"id": f"{split}{n}", "input": f"{n} {(LATE, CAR)[n % 2]}", "reference": answers[n % 2]}
                for n in range(count)
            ]
            (folder / name / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def task(folder: Path, kind: str) -> Task:
    source = Source(uri=f"file:{folder / ('marks' if kind == 'regress' else 'moods')}")
    if kind == "classify":
        source = replace(source, labels=("late", "car"))
    return Task(
        name=kind, kind=kind, source=source, prompt="Read: $input", metrics=("exact",), primary="exact"
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path)
    make_encoder("bert", tmp_path / "bert")
    make_folder("llama", tmp_path / "llama")
    make_folder("t5", tmp_path / "t5")
    return tmp_path


def drawn(place: Path, kinds: tuple[str, ...], models: tuple[str, ...], recipe: Recipe = RECIPE) -> Plan:
    suite = Suite(
        name="s",
        tasks=tuple(task(place, kind) for kind in kinds),
        models=tuple(Model(name=name, uri=f"file:{place / name}") for name in models),
        recipes=(recipe,),
        train_on=kinds,
        weights=None,
    )
    return plan(suite, pins(suite, device="cpu", offline=True, cache=place / "digests.json"))


def test_a_pin_says_what_a_checkpoint_is_and_what_it_lacks(place: Path) -> None:
    found = drawn(place, ("classify", "generate"), ("bert", "llama", "t5"))
    pinned = {name: pin.architecture for name, pin in found.pins.models.items()}
    assert pinned == {"bert": "encoder", "llama": "causal", "t5": "seq2seq"}
    models = {model.name: model for model in found.suite.models}

    def lacks(name: str, verb: backends.Verb) -> str | None:
        reason = backends.lacks(models[name], found.pins.models[name], verb)
        return reason and reason.replace(f"file:{place}/", "")

    assert lacks("bert", "head") is None
    assert lacks("bert", "write") == "bert is an encoder, which writes no text"
    assert lacks("bert", "likelihoods") == "bert is an encoder, which gives no text a likelihood"
    assert lacks("llama", "head") == "llama is a decoder, which has no head for labels"
    assert lacks("llama", "rolling") is None
    assert lacks("t5", "head") == "t5 is an encoder-decoder, which has no head for labels"
    assert lacks("t5", "rolling") == "t5 is an encoder-decoder, which reads no text without a prompt"
    assert not found.pins.models["bert"].endless


def test_one_recipe_trains_encoders_and_decoders_by_the_objective_that_suits_each(place: Path) -> None:
    found = drawn(place, ("classify", "generate"), ("bert", "llama"))
    trained = {step.label: step.spec for step in found.steps if isinstance(step.spec, Train)}
    assert set(trained) == {
        "train bert + r@classify",
        "train llama + r@classify",
        "train llama + r@generate",
    }
    assert {spec.recipe.objective["name"] for spec in trained.values()} == {"auto"}
    assert any(cell.task == "generate" and cell.system.model == "bert" for cell in found.unasked)


def test_an_objective_that_suits_is_the_same_named_or_left_out_and_another_is_refused(place: Path) -> None:
    def trained(model: str, objective: str) -> set[str]:
        found = drawn(place, ("classify",), (model,), replace(RECIPE, objective={"name": objective}))
        return {step.id for step in found.steps if step.kind == "train"}

    assert trained("llama", "auto") == trained("llama", "answers")
    assert trained("bert", "auto") == trained("bert", "labels")
    with pytest.raises(
        SuiteError, match=r"recipe r, model bert: objective 'answers' .*an encoder writes no text"
    ):
        trained("bert", "answers")
    with pytest.raises(SuiteError, match=r"recipe r, model llama: objective 'labels' .*a decoder has none"):
        trained("llama", "labels")


def test_a_suite_of_encoders_alone_is_refused_for_a_task_that_asks_for_text(place: Path) -> None:
    with pytest.raises(
        SuiteError, match=r"task generate, kind generate: file:\S+bert is an encoder, which writes"
    ):
        drawn(place, ("generate",), ("bert",))


def test_a_pins_name_does_not_move_for_a_decoder() -> None:
    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    assert pin.architecture == "causal"


SUITE = """
tasks:
  - {name: classify, kind: classify, source: {uri: "file:moods", labels: [late, car]}, prompt: "Read: $input",
     metrics: [exact], primary: exact}
  - {name: regress, kind: regress, source: {uri: "file:marks"}, prompt: "Read: $input", metrics: [exact], primary: exact}
models: [{name: bert, uri: "file:bert"}]
recipes: [{name: r, steps: 25, rank: 4, batch_size: 6, learning_rate: 0.01, validation_samples: 6}]
train_on: [classify, regress]
"""


@pytest.mark.slow
def test_a_suite_with_an_encoder_learns_and_its_program_for_plain_peft_gives_the_same_answers(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "s.yaml").write_text(SUITE)
    done = harness(
        capsys, "run", "s.yaml", "--workers", "0", "--device", "cpu", "--out", "R", "--store", "store"
    )
    assert done.code == 0, done.err
    result = read(place / "R")
    scores = {(s.task, s.system.adapter): s.value for s in result.scores if s.metric == "exact"}
    assert scores["classify", "r@classify"] == 100.0
    assert scores["classify", None] == 50.0  # the majority's
    with gzip.open(place / "R" / "generations.jsonl.gz", "rt") as file:
        answers = [json.loads(line) for line in file]
    (model,) = result.suite.models
    for name, said in (("classify", r"^(late|car)$"), ("regress", r"^[\d.]+$")):
        (facts,) = [facts for facts in result.suite.tasks if facts.name == name]
        (adapter,) = [
            path.parent
            for path in (place / "store" / "done").glob("*/adapter/harness.json")
            if bool(json.loads(path.read_text())["labels"]) == (name == "classify")
        ]
        program = loading(model, None, facts).replace("PATH/TO/bert", str(place / "bert"))
        program = program.replace("PATH/TO/ADAPTER", str(adapter)).replace("…", f"1 {CAR}")
        printed = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        assert re.match(said, printed)
        (ours,) = [
            row["text"]
            for row in answers
            if row["sample_id"] == "test-000002" and row.get("task") == name and row.get("adapter")
        ]
        if name == "classify":
            assert printed == ours
        else:
            assert float(printed) == pytest.approx(float(ours), rel=1e-4)  # ours has six digits


def test_check_says_nothing_of_a_head_that_no_task_asks(place: Path) -> None:
    found = drawn(place, ("generate",), ("bert", "llama"))
    shown = "\n".join(check(found.suite, offline=True, cache=place / "digests.json", device="cpu"))
    assert "not applicable to bert: it is an encoder, which writes no text" in shown
    assert "SequenceClassification" not in shown
    both = drawn(place, ("generate", "classify"), ("bert", "llama"))
    shown = "\n".join(check(both.suite, offline=True, cache=place / "digests.json", device="cpu"))
    assert "BertForSequenceClassification" in shown
