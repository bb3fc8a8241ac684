"""The samples as the page's script gets them: complete, in order, and the same in one page as in many."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import metrics
from harness.report import explorer, render
from harness.report.page import build
from harness.report.task_samples import task_samples
from harness.results import TaskFacts, read, read_generations, read_samples
from harness.tasks.prompts import render as asked_prompt
from harness.testing import make_result
from harness.types import Sample, Source, System, Task


def told(folder: Path) -> tuple[dict[str, Any], list[explorer.Leaf]]:
    result = read(folder)
    samples = task_samples(result)
    book = explorer.book(result, build(result), samples)
    leaves = list(book.leaves)
    return book.index, leaves


def test_every_answer_is_there_once_and_in_its_place(example: Path) -> None:
    index, leaves = told(example)
    assert not leaves
    names = [one["name"] for one in index["systems"]]
    assert [one["name"] for one in index["tasks"]] == ["dialogues", "instructions"]
    tasks = {one["name"]: one for one in index["tasks"]}
    seen = 0
    for name, system, generation in read_generations(example):
        if str(system) in names:
            task = tasks[name]
            place = task["ids"].index(generation.sample_id)
            assert task["answers"][names.index(str(system))][place] == generation.text
            seen += 1
    assert seen == sum(len(own) for task in tasks.values() for own in task["answers"])
    for name, sample in read_samples(example):
        place = tasks[name]["ids"].index(sample.id)
        assert tasks[name]["inputs"][place] == sample.input
        assert tasks[name]["references"][place] == list(sample.references)


def test_a_prompt_is_shown_with_its_choices_as_it_was_asked(tmp_path: Path) -> None:
    samples = [
        Sample(id=f"s{n}", input="Which?", references=("tea",), choices=("tea", f"{n} cups"))
        for n in range(3)
    ]
    facts = TaskFacts(name="t", primary="accuracy", metrics=("accuracy",), share="text", kind="choice",
                      prompt="$input\n$choices\nAnswer:")  # fmt: skip
    folder = make_result(tmp_path / "r", samples, {System(model="m"): ["tea"] * 3}, task=facts)
    (task,) = told(folder)[0]["tasks"]
    for place, sample in enumerate(samples):
        source = Source(uri="embedded:quickstart")
        asked = asked_prompt(
            Task(name="t", prompt=facts.prompt, metrics=("accuracy",), primary="accuracy", source=source),
            sample,
        )
        assert asked.text == task["prompt"].replace("$input", task["inputs"][place]).replace(
            "$choices", task["columns"]["choices"][place]
        )


def test_every_metric_that_has_rows_gives_each_sample_its_score(example: Path) -> None:
    index, _ = told(example)
    names = [one["name"] for one in index["systems"]]
    tasks = {one["name"]: one for one in index["tasks"]}
    metric = {name: [one["name"] for one in task["more"]] for name, task in tasks.items()}
    assert metric == {
        "dialogues": ["ROUGE-1", "ROUGE-2", "ROUGE-Lsum", "BLEU", "chrF"],
        "instructions": ["Exact match"],
    }
    samples = {(task, one.id): one for task, one in read_samples(example)}
    rouge, chrf = metrics.load("rouge"), metrics.load("chrf")
    compared = 0
    for task, system, generation in read_generations(example):
        if task == "dialogues" and str(system) in names:
            sample = samples[task, generation.sample_id]
            here = tasks[task]["ids"].index(sample.id)
            shown = [one["scores"][names.index(str(system))][here] for one in tasks[task]["more"]]
            first, *_ = rouge.value(np.array(rouge.row(sample, generation), dtype=float))
            (last,) = chrf.value(np.array(chrf.row(sample, generation), dtype=float))
            assert (shown[0], shown[-1]) == (round(first), round(last))
            compared += 1
    assert compared > 50


def test_many_pages_hold_what_one_would(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = told(example)
    monkeypatch.setattr(explorer, "FITS", 20_000)
    monkeypatch.setattr(explorer, "BIN", 8)
    monkeypatch.setattr(explorer, "IN_MEMORY", 100)
    index, leaves = told(example)
    assert len(leaves) > 4
    for place, task in enumerate(whole["tasks"]):
        mine = index["tasks"][place]
        assert "answers" not in mine and "inputs" not in mine
        assert (mine["ids"], mine["scores"], mine["slices"]) == (task["ids"], task["scores"], task["slices"])
        parts = [leaves[leaf].data["tasks"][0] for leaf, _ in mine["leaves"]]
        assert [count for _, count in mine["leaves"]] == [part["count"] for part in parts]
        for key in ("ids", "inputs", "references"):
            assert [one for part in parts for one in part[key]] == task[key]
        for system, own in enumerate(task["answers"]):
            assert [one for part in parts for one in part["answers"][system]] == own
        assert "more" not in mine  # the index stays small
        for metric, other in enumerate(task["more"]):
            for system, own in enumerate(other["scores"]):
                assert [one for part in parts for one in part["more"][metric]["scores"][system]] == own
        flagged = sorted(where for where in task["odd"]["length"])
        again, before = [], 0
        for part in parts:
            again += [[at + before, *rest] for at, *rest in part["odd"].get("length", [])]
            before += part["count"]
        assert sorted(again) == flagged


@pytest.mark.slow
def test_of_a_copy_without_texts_there_are_ids_and_numbers(example: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(example, tmp_path / "copy")
    for name, bare in (
        ("samples.jsonl.gz", {"input": "", "references": [], "metadata": {}}),
        ("generations.jsonl.gz", {"text": "", "references": []}),
    ):
        with gzip.open(folder / name, "rt") as file:
            lines = [json.loads(line) for line in file]
        with gzip.open(folder / name, "wt") as file:
            file.writelines(json.dumps(line | bare) + "\n" for line in lines)
    index, leaves = told(folder)
    assert not leaves
    for task in index["tasks"]:
        assert len(task["ids"]) == 40 and any(task["scores"])
        assert not {"inputs", "answers", "references", "columns"} & set(task)
    render(folder)
    assert "(empty answer)" not in (folder / "report.html").read_text().split("<script>")[0]


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "\u2028", '"\\u003c'])
def test_data_ends_no_script_and_says_what_it_said(text: str) -> None:
    shown = explorer.script_data({"text": text})
    assert "<" not in shown
    assert json.loads(shown) == {"text": text}


def test_an_address_holds_any_name() -> None:
    assert (
        explorer.sample_link("a/b", "c d\u202e#\ud800")
        == "#sample=a%2Fb/c%20d%E2%9F%A6U%2B202E%E2%9F%A7%23%E2%9F%A6U%2BD800%E2%9F%A7"
    )
