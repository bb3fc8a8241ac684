"""A run with a model that has no end-of-sequence token: it answers, it is trained, and the RESULT says what ended both."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run.steps.train import Train
from harness.suite.load import load_suite
from tests.cli.words import exit_code
from tests.neural.conftest import make_folder
from tests.neural.test_endless import without_end

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data"}
    prompt: "$input Summary:"
    metrics: [exact]
    primary: exact
    decode: {max_new_tokens: 4, stop: ["\\n"]}
models: [{name: mine, uri: "file:model"}]
recipes: [{name: short, steps: 1, batch_size: 2, rank: 2, validation_samples: 0}]
train_on: [chats]
weights: false
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_folder("llama", tmp_path / "model")
    (tmp_path / "data").mkdir()
    rows = [{"input": f"Anna will bring the car {n}.", "reference": "Ben is late."} for n in range(3)]
    for split in ("train", "test"):
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stop_of_training(here: Path) -> tuple[str, str]:
    """The stop string in the spec of training, and the step's id."""
    suite = load_suite(str(here / "small.yaml"))
    drawn = plan(suite, pins(suite, device="cpu", offline=True, cache=here / "digests.json"))
    (step,) = [step for step in drawn.steps if isinstance(step.spec, Train)]
    assert isinstance(step.spec, Train)
    return step.spec.stop, step.id


def test_the_stop_string_is_part_of_the_id_only_where_it_ends_a_training_example(here: Path) -> None:
    suite = load_suite(str(here / "small.yaml"))
    other = replace(suite.tasks[0], decode=replace(suite.tasks[0].decode, stop=("x",)))

    def ids(task: object) -> str:
        drawn = plan(
            replace(suite, tasks=(task,)),  # type: ignore[arg-type]
            pins(suite, device="cpu", offline=True, cache=here / "digests.json"),
        )
        return next(step.id for step in drawn.steps if step.kind == "train")

    assert stop_of_training(here)[0] == ""
    assert ids(suite.tasks[0]) == ids(other)
    without_end(here / "model")
    assert stop_of_training(here)[0] == "\n"
    assert ids(suite.tasks[0]) != ids(other)


@pytest.mark.slow
def test_a_run_notes_what_ended_answers_and_training_examples(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without_end(here / "model")
    assert exit_code("check small.yaml --store S --device cpu".split()) == 0
    assert "model mine: has no end-of-sequence token" in capsys.readouterr().out
    assert exit_code("run small.yaml --workers 0 --device cpu --store S --out R --quiet".split()) == 0
    notes = json.loads((here / "R" / "result.json").read_text())["notes"]
    said = {(note["where"], note["detail"]) for note in notes if note["kind"] == "no end-of-sequence"}
    answers = "the model has no end-of-sequence token: stop strings and max_new_tokens end its answers"
    assert said == {
        (
            "mine + short",
            "training examples that end with the stop string '\\n': the model has no end-of-sequence token",
        ),
        ("chats, mine", answers),
        ("chats, mine + short", answers),
    }
