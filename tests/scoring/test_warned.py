"""Warnings of metrics: those that sacrebleu gives on a whole corpus are counted, and those that it logs are heard."""

import logging
from collections import Counter
from pathlib import Path

import pytest
from sacrebleu.metrics.bleu import BLEU

from harness.commands.delivery import metric_warnings
from harness.metrics import load
from harness.results.plain import plain
from harness.scoring import warned
from harness.scoring.accumulate import Tally
from harness.types import Generation, Sample


def tallied(metric: str, answers: list[str]) -> Tally:
    tally = Tally(load(metric))
    for n, answer in enumerate(answers):
        sample = Sample(id=str(n), input="", references=("It rains .",))
        tally.add(sample, Generation(sample_id=str(n), text=answer))
    return tally


@pytest.mark.parametrize("metric", ["bleu", "bleu(tokenize=intl)"])
@pytest.mark.parametrize("tokenized", [0, 1, 99, 100, 101])
def test_answers_are_called_tokenized_exactly_where_sacrebleu_does(metric: str, tokenized: int) -> None:
    answers = ["It rains ."] * tokenized + ["It rains."] * 3
    with warned.heard() as messages:
        BLEU().corpus_score(answers, [["It rains ."] * len(answers)])
    said = tallied(metric, answers).cautions()
    assert bool(said) == any("tokenized period" in message for message in messages)
    assert [*said.values()] == ([tokenized] if said else [])


def test_a_metric_without_cautions_counts_none() -> None:
    assert tallied("chrf", ["It rains ."] * 200).cautions() == {}


def test_warnings_are_heard_and_not_printed_and_loggers_are_as_before(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    logger = logging.getLogger("sacrebleu")
    before = (list(logger.handlers), logger.propagate)
    with warned.heard() as messages:
        BLEU().sentence_score("It rains.", ["It rains."])
        BLEU().sentence_score("It rains.", ["It rains."])
        logger.info("not a warning")
    assert messages == {
        "sacrebleu: It is recommended to enable `effective_order` for sentence-level BLEU.": 2
    }
    assert (list(logger.handlers), logger.propagate) == before
    assert capsys.readouterr().err == ""
    warned.write(tmp_path, [tallied("bleu", ["It rains ."] * 100)], messages, 100)
    counted, logged = warned.notes(tmp_path, "chats, base")
    assert (counted.kind, counted.count, counted.of) == ("metric warning", 100, 100)
    assert counted.detail.startswith("bleu: answers that end in a tokenized period")
    assert (logged.count, logged.detail) == (2, next(iter(messages)))


def test_a_step_without_warnings_leaves_no_file(tmp_path: Path) -> None:
    warned.write(tmp_path, [tallied("bleu", ["It rains."])], Counter(), 1)
    assert not any(tmp_path.iterdir())
    assert warned.notes(tmp_path, "x") == ()


def test_a_warning_is_printed_once_for_all_systems(tmp_path: Path) -> None:
    warned.write(tmp_path, [tallied("bleu", ["It rains ."] * 100)], Counter(), 100)
    notes = [note for n in range(5) for note in warned.notes(tmp_path, f"chats, m{n}")]
    (line,) = metric_warnings({"notes": [plain(note) for note in notes]})
    assert line.endswith("(chats, m0: 100 of 100; chats, m1: 100 of 100; chats, m2: 100 of 100; and 2 more)")
