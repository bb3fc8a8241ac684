"""The loss curve of a training: a line of JSON for each optimiser step, read without torch."""

import json
from pathlib import Path

FILE = "curve.jsonl"


def read(folder: Path) -> list[dict[str, float]]:
    """Return the points of the curve: step, loss, learning_rate, seconds and, where measured, validation_loss and _score."""
    return [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]
