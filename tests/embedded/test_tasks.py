"""The shipped tasks of every kind: the embedded ones run, and those of the hub read rows as the hub has them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import data, kinds
from harness.files import shipped
from harness.suite.load import load_suite, load_task
from harness.types import Source, Task
from tests.cli.words import harness
from tools.embedded.splits import SIZES
from tools.embedded.write import DATA_SETS

TASKS = {path.stem: load_task(str(path)) for path in (shipped.folder("suites") / "tasks").glob("*.yaml")}
EMBEDDED = {
    name: task for name, task in TASKS.items() if task.source.uri.removeprefix("embedded:") in DATA_SETS
}
# A row as each data set of the hub has it (its card, or its config in lm-evaluation-harness), and what an adapter learns.
ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "glue-cola": ({"sentence": "They is here.", "label": 0, "idx": 7}, "unacceptable"),
    "glue-stsb": (
        {"sentence1": "A man runs.", "sentence2": "A man walks.", "label": 2.4, "idx": 1},
        "2.4",
    ),
    "sst2": ({"idx": 3, "sentence": "a joy to watch", "label": 1}, "positive"),
    "gsm8k": (
        {"question": "What is 2 and 3?", "answer": "It is 2 + 3 = <<2+3=5>>5.\n#### 5"},
        "It is 2 + 3 = <<2+3=5>>5.\n#### 5",
    ),
    "medqa": (
        {
            "id": "train-00000",
            "sent1": "Which vitamin prevents scurvy?",
            "sent2": "",
            "ending0": "Vitamin A",
            "ending1": "Vitamin B1",
            "ending2": "Vitamin C",
            "ending3": "Vitamin D",
            "label": 2,
        },
        "C",  # the letter, as the task's settings say
    ),
    "wikitext": ({"page": " = A title = \n\n A text . \n"}, " = A title = \n\n A text . \n"),
}


OF_SAFETY = ("refuse-harmful", "answer-harmless")  # each has the test samples of one sort


def test_every_embedded_data_set_has_a_task() -> None:
    assert {task.source.uri.removeprefix("embedded:") for task in EMBEDDED.values()} == set(DATA_SETS)


def test_every_kind_has_an_embedded_task() -> None:
    assert {task.kind for task in EMBEDDED.values()} == {
        "generate", "choice", "classify", "regress", "prefer", "perplexity",
    }  # fmt: skip


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_sample_of_an_embedded_task_can_be_asked(name: str) -> None:
    sizes = {**SIZES, "test": 150} if name in OF_SAFETY else SIZES
    assert data.check(TASKS[name], kinds.find(TASKS[name].kind).ask) == sizes


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_prompt_shows_what_an_adapter_has_to_learn(name: str) -> None:
    """A choice is shown by design; a label, a number or a translation must not be."""
    task = TASKS[name]
    kind = kinds.find(task.kind)
    if task.kind in ("choice", "perplexity", "classify"):
        pytest.skip("the wanted text is a choice, a word such as `no`, or the input itself")
    for sample in data.read(task.source, "test"):
        prompt = kind.ask(task, sample, ()).text
        target = kind.target(task, sample)
        assert not prompt.rstrip().endswith(target), sample.id
        assert len(target) < 6 or target not in prompt, sample.id


def at(folder: Path, task: Task, row: dict[str, Any]) -> Task:
    """The task of the hub over a file with one row of its shape."""
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    source: Source = replace(task.source, uri=f"file:{folder}", splits={}, config=None)
    return replace(task, source=source)


@pytest.mark.parametrize("name", ROWS)
def test_a_task_of_the_hub_reads_rows_of_its_data_set(name: str, tmp_path: Path) -> None:
    row, expected = ROWS[name]
    task = at(tmp_path, TASKS[name], row)
    kind = kinds.find(task.kind)
    assert data.check(task, kind.ask) == {"test": 1}
    (sample,) = data.read(task.source, "test")
    assert kind.target(task, sample) == expected


def pair(answer: str) -> str:
    return f"\n\nHuman: Hi.\n\nAssistant: Hello.\n\nHuman: What is 2 and 2?\n\nAssistant: {answer}"


def messages(answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "What is 2 and 2?"}, {"role": "assistant", "content": answer}]


@pytest.mark.parametrize("written", [pair, messages])  # hh-rlhf, ultrafeedback_binarized
def test_pairs_of_the_hub_are_read_as_conversations(written: Callable[[str], Any], tmp_path: Path) -> None:
    task = at(tmp_path, TASKS["hh-rlhf"], {"chosen": written("4"), "rejected": written("5")})
    assert data.check(task, kinds.find("prefer").ask) == {"test": 1}
    (sample,) = data.read(task.source, "test")
    assert (sample.input, sample.choices) == ("What is 2 and 2?", ("4", "5"))


def test_every_task_of_the_hub_is_read_in_a_test() -> None:
    hub = {name for name, task in TASKS.items() if task.source.uri.startswith("hub:")}
    assert hub == {*ROWS, "samsum", "instruction-qa", "hh-rlhf"}


@pytest.mark.slow
def test_every_embedded_task_is_run_and_scored_by_its_primary_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    suite = {
        "tasks": sorted(EMBEDDED),
        "models": [{"name": "copy", "uri": "echo:copy"}],
        "weights": False,
        "limit": 30,
    }
    (tmp_path / "all.yaml").write_text(json.dumps(suite))
    done = harness(capsys, "run", "all.yaml", "--workers", "0", "--device", "cpu", "--out", "R", "--json")
    assert done.code == 0, done.err
    assert "finds no word" not in done.out + done.err  # texts to read have no references
    result = json.loads((tmp_path / "R" / "result.json").read_text())
    scores = {(score["task"], score["metric"]) for score in result["scores"] if score["model"] == "copy"}
    assert {(name, task.primary) for name, task in EMBEDDED.items()} <= scores
    for score in result["scores"]:
        assert score["n"] == 30


@pytest.mark.parametrize("name", ["text-to-text", "encoders", "reasoning", "everything", "choose-a-base"])
def test_a_suite_trains_on_each_of_its_tasks(name: str) -> None:
    suite = load_suite(name)
    assert suite.train_on == tuple(task.name for task in suite.tasks)
    assert suite.across == "own"


def test_everything_has_every_embedded_task_and_every_tiny_model() -> None:
    suite = load_suite("everything")
    embedded = {name for name, task in TASKS.items() if task.source.uri.startswith("embedded:")}
    aligned = {task.name for task in load_suite("alignment").tasks}
    assert {task.name for task in suite.tasks} == embedded - {"safety", *OF_SAFETY}
    assert {"safety", *OF_SAFETY} <= aligned
    assert {model.uri.removeprefix("zoo:") for model in suite.models} >= set(shipped.zoo_names())


def test_the_models_of_choose_a_base_are_held_in_four_bits() -> None:
    assert {model.quantization for model in load_suite("choose-a-base").models} == {"nf4"}
