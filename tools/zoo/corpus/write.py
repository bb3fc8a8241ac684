"""Writes the data sets of our own into a folder: `python -m tools.zoo.corpus.write [FOLDER]`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.zoo.corpus.dialogues import dialogues

DEFAULT_FOLDER = Path(__file__).resolve().parents[3] / "suites" / "data"

LICENCE = """Apache-2.0

Written for this project by its own program (python -m tools.zoo.corpus.write). No text of others is in it.
"""


def write_corpus(folder: Path) -> None:
    """Write dialogues/ and instruction-qa/ below `folder`, the same bytes each time."""
    from tools.zoo.corpus.instructions import instructions

    write_splits(folder / "dialogues", dialogues())
    write_splits(folder / "instruction-qa", instructions())


def write_splits(
    folder: Path, splits: Mapping[str, Sequence[Mapping[str, object]]], licence: str = LICENCE
) -> None:
    """Write one file of JSON lines per split, and the licence."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, records in splits.items():
        lines = [json.dumps(record, ensure_ascii=False, sort_keys=False) + "\n" for record in records]
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    (folder / "LICENCE").write_text(licence, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER)
