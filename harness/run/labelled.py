"""Read labelled answers: each says whether it has what a judge looks for, and whose answer it is.

A file has a row an answer, in JSON Lines, JSON, CSV or Parquet: `text`, `label` (true or false), and where there are several
systems `system`; a judge's prompt may ask for `question`, `reference` and `other` too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import data
from harness.errors import DataError
from harness.tasks.prompts import fields
from harness.types import AnswerJudge, Source

TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")
COLUMNS = ("text", "label", "system", "question", "reference", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAnswer:
    """An answer of which it is known whether it has what a judge looks for."""

    text: str
    has: bool  # of a pair: whether it is the better one
    system: str = ""  # who gave it; "": not said
    question: str = ""
    reference: str = ""
    other: str = ""  # the answer that it is paired with


def read(uri: str, judge: AnswerJudge | None) -> list[LabelledAnswer]:
    """Return the labelled answers of a file; raise DataError for a row that is none, or where one label is missing."""
    path = Path(uri.removeprefix("file:"))
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a file with labelled answers: text, label, system")
    needed = (
        ["text", "label", *(name for name in fields(judge.prompt) if name != "answer")]
        if judge
        else ["text", "label"]
    )
    found = list(_rows(path, needed))
    for wanted, missing in ((True, "has"), (False, "has not")):
        if not any(answer.has == wanted for answer in found):
            raise DataError(
                f"{path}: no answer is labelled as one that {missing} what the judge looks for; label answers of both "
                "sorts, or nothing is known of its errors"
            )
    return found


def _rows(path: Path, needed: list[str]) -> Iterator[LabelledAnswer]:
    source = Source(uri=f"file:{path}")
    for row in data.raw_rows(source, "test"):
        for name in needed:
            if row.values.get(name) in (None, ""):
                known = ", ".join(map(str, row.values))
                raise DataError(
                    f"{row.where}: no {name!r}; a labelled answer needs {', '.join(needed)}, found {known}"
                )
        label = str(row.values["label"]).strip().lower()
        if label not in (*TRUE, *FALSE):
            raise DataError(f"{row.where}: label: found {row.values['label']!r}; write true or false")
        texts = {
            name: str(row.values.get(name) or "")
            for name in ("text", "system", "question", "reference", "other")
        }
        if "other" in needed and texts["text"] == texts["other"]:
            raise DataError(
                f"{row.where}: text and other are equal, so neither is the better one; leave the row out"
            )
        yield LabelledAnswer(has=label in TRUE, **texts)
