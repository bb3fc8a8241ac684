"""What a finished training says of its examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.checkpoints.adapter import WEIGHTS
from harness.run.steps import ADAPTER, Finished, PlanPart, train
from harness.types import Note, System

RECORD = {"hardware": "2 cores", "workers": 1, "seconds": 1.0, "peak_bytes": 1}


def notes(folder: Path, **facts: Any) -> dict[str, Note]:
    (folder / ADAPTER).mkdir()
    (folder / ADAPTER / WEIGHTS).write_bytes(b"")
    (folder / "curve.jsonl").write_text("")
    trained = {"seconds": 1.0, "trainable_parameters": 9, "truncated": 0, "skipped": [], **facts}
    (folder / train.TRAINED).write_text(json.dumps(trained))
    part = PlanPart(kind="train", system=System(model="m", adapter="x"))
    finished = Finished(id="0" * 16, part=part, folder=folder, record=RECORD)
    return {note.kind: note for note in train.contributes(finished).notes}


@pytest.mark.parametrize(
    ("seen", "why"),
    [(16, "a few steps see fewer examples than there are"), (400, "epochs see each many times")],
)
def test_shortened_and_skipped_examples_are_counted_among_different_examples(
    tmp_path: Path, seen: int, why: str
) -> None:
    found = notes(tmp_path, samples_seen=seen, examples=40, truncated=18, skipped=["a", "b"])
    shortened, skipped = found["training truncated"], found["training skipped"]
    assert (shortened.count, shortened.of) == (18, 40), why
    assert (skipped.count, skipped.of) == (2, 42), why


def test_a_training_of_an_earlier_version_never_shortened_more_examples_than_it_had(tmp_path: Path) -> None:
    assert notes(tmp_path, samples_seen=16, truncated=18)["training truncated"].of == 18
