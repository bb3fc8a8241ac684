"""Shortened prompts and empty answers stand beside the answer, in every face of a report."""

import io
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from harness.report import html, markdown, terminal
from harness.report.doubts import doubts
from harness.report.figures import Figures, WeightFigures
from harness.report.page import Page, build
from harness.results import read
from harness.testing import make_result
from harness.types import Note, Sample, System

SHORTENED = "200 of 200 prompts (100 %) of llama2-tiny did not fit the model's window and were shortened"
EMPTY = "24 of 200 answers (12 %) of falcon-tiny are empty: the score says little."


@pytest.fixture(scope="module")
def page(example: Path) -> Page:
    result = read(example)
    notes = (
        Note(kind="truncated", where="dialogues, llama2-tiny", count=200, of=200),
        Note(kind="empty", where="dialogues, falcon-tiny", count=24, of=200),
        Note(kind="empty", where="dialogues, mistral-tiny", count=10, of=200),
    )
    return build(replace(result, notes=notes))


@pytest.fixture(scope="module")
def no_figures() -> Figures:
    return Figures(
        differences={},
        fronts={},
        forgetting=None,
        losses=None,
        choosing=None,
        weights=WeightFigures(alphas=None, histogram=None, ratios=None, spectra={}),
    )


def plain(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


def test_the_terminal_says_both_before_its_table_and_marks_the_system(page: Page) -> None:
    out = io.StringIO()
    terminal.show(page, Console(file=out, width=120))
    text = plain(out.getvalue())
    table = text.index("against its base")
    assert text.index(SHORTENED) < table
    assert text.index(EMPTY) < table
    assert "falcon-tiny (12 % empty)" in text
    assert text.count("% empty)") == 1


def test_json_says_both_and_gives_the_share(page: Page, tmp_path: Path) -> None:
    document = json.loads(json.dumps(terminal.as_json(page, tmp_path)))
    (task,) = [one for one in document["tasks"] if one["task"] == "dialogues"]
    assert any(SHORTENED in one for one in task["answer"])
    assert EMPTY in task["answer"]
    shares = {
        one["score"]["system"]["model"]: one["empty"] for one in task["systems"] if one["role"] == "base"
    }
    assert (shares["falcon-tiny"], shares["mistral-tiny"]) == (0.12, None)


def test_the_first_paragraph_of_the_markdown_says_both(page: Page, no_figures: Figures) -> None:
    text = markdown.render(page, no_figures)
    first = plain(next(part for part in text.split("\n\n") if "scores highest" in part))
    assert SHORTENED in first
    assert EMPTY in first
    assert "falcon-tiny **(12 % empty)** |" in plain(text)


def test_the_page_says_both_in_its_answer_and_marks_the_system(page: Page, no_figures: Figures) -> None:
    text = html.render(page, no_figures)
    answer = plain(text[text.index('<section id="answer"') : text.index('<section id="scores"')])
    assert SHORTENED in answer
    assert EMPTY in answer
    assert text.count('<span class="tag empty">') == 1


def test_what_a_doubt_says_is_not_announced_again(tmp_path: Path) -> None:
    """Notes are counted beside the answer only if no doubt there says the same."""
    doubt = Note(kind="overlap", where="t", count=2, of=4, detail="test samples that share 13 words in a row")
    other = Note(kind="empty", where="t, m", count=1, of=40, detail="answers without a word")
    for number, (notes, said) in enumerate(
        (
            ((), ""),
            ((doubt,), ""),
            ((doubt, other), "1 further note on what did not go as planned"),
            ((other,), "1 note on what did not go as planned"),
        )
    ):
        edit = partial(replace, notes=notes)
        samples = [Sample(id=f"s{place}", input="a", references=("b",)) for place in range(4)]
        folder = make_result(tmp_path / str(number), samples, {System(model="m"): ["b"] * 4}, edit=edit)
        assert build(read(folder)).further == said


def test_an_overlap_of_the_whole_split_says_how_many_of_it_were_asked(tmp_path: Path) -> None:
    samples = [Sample(id=f"s{place}", input="a", references=("b",)) for place in range(4)]
    for of, said in (
        (4, "2 of 4 test samples (50 %) share"),
        (8, "2 of 8 test samples (25 %), of which 4 were asked, share"),
    ):
        note = Note(
            kind="overlap", where="t", count=2, of=of, detail="test samples that share 13 words in a row"
        )
        edit = partial(replace, notes=(note,))
        folder = make_result(tmp_path / str(of), samples, {System(model="m"): ["b"] * 4}, edit=edit)
        (task,) = build(read(folder)).tasks
        assert task.answer
        assert said in " ".join(task.answer.doubts).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("kind", "count", "said"),
    [
        ("generate", 4, "4 of 200 prompts (2 %) of falcon-tiny did not fit the model's window and were not asked: "
         "they count as empty answers. Lower max_new_tokens,"),
        ("choice", 4, "and were not asked: they count as misses. Shorten the prompt or its options, or choose"),
        ("perplexity", 4, "4 of 200 texts (2 %) of falcon-tiny were not read, because they have no token: "
         "they are left out."),
        ("a kind of a plug-in that is not here", 4, "they count as empty answers."),
    ],
)  # fmt: skip
def test_what_was_not_asked_is_said_as_the_kind_of_task_counts_it(
    kind: str, count: int, said: str, example: Path
) -> None:
    result = read(example)
    (task,) = [task for task in result.suite.tasks if task.name == "dialogues"]
    note = Note(kind="refused", where="dialogues, falcon-tiny", count=count, of=200)
    found = " ".join(doubts(replace(result, notes=(note,)), replace(task, kind=kind)))
    assert said in plain(found)
