"""Answers in JSON Lines, JSON, CSV or Parquet: a row for each sample, with an id, an answer and a reference.

Several files are several systems, each named after its file.
"""

from collections.abc import Iterator
from pathlib import Path

from harness.digest import text_digest
from harness.errors import DataError, HarnessError
from harness.imports import ImportedAnswers, ImportedTask, ImportOptions, distinct, imported_file, rows
from harness.results import ModelFacts
from harness.tasks.rows import Row
from harness.types import Generation, Sample, System

OPTIONS = ("id", "text", "reference", "input", "task", "metric")


def read(place: Path, options: ImportOptions) -> Iterator[ImportedAnswers]:
    """Yield the answers of the file."""
    for option in ("id", "text", "reference"):
        if not getattr(options, option):
            raise HarnessError(f"--{option}: not given; name the column of each row's {option}")
    if not place.is_file():
        what = "found a folder" if place.is_dir() else "no such file"
        raise DataError(f"{place}: {what}; name a file with an answer in each row")
    samples, answers = [], []
    for row in rows(place):
        name = _text(row, options.id or "")
        references = _texts(row, options.reference or "")
        asked = _text(row, options.input) if options.input else ""
        used = (options.id, options.text, options.reference, options.input)
        samples.append(
            Sample(
                id=name,
                input=asked,
                references=references,
                metadata={
                    key: str(value)
                    for key, value in row.values.items()
                    if key not in used and isinstance(value, str | int | float)
                },
            )
        )
        answers.append(
            Generation(sample_id=name, text=_text(row, options.text or ""), prompt_digest=text_digest(asked))
        )
    if not samples:
        raise DataError(f"{place}: found no rows; name a file with an answer in each row")
    distinct(str(place), tuple(samples))
    yield ImportedAnswers(
        where=str(place),
        file=imported_file(place, "rows of answers"),
        task=ImportedTask(
            name=options.task or "imported", metrics=options.metric or ("exact",), about="Imported answers."
        ),
        system=System(model=place.stem),
        model=ModelFacts(name=place.stem),
        samples=tuple(samples),
        answers=tuple(answers),
    )


def _value(row: Row, column: str) -> object:
    if column not in row.values:
        known = ", ".join(map(str, row.values))
        raise DataError(f"{row.where}: no column {column!r}; found {known or 'none'}")
    return row.values[column]


def _text(row: Row, column: str) -> str:
    value = _value(row, column)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f"{row.where}: {column}: found {repr(value)[:40]}; give a text or a number")
    return str(value)


def _texts(row: Row, column: str) -> tuple[str, ...]:
    """Return the references of a row: a text, or a list of texts that are all right."""
    value = _value(row, column)
    several = isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
    found = tuple(value) if isinstance(value, list) and several else (_text(row, column),)
    if not all(text.strip() for text in found):
        raise DataError(
            f"{row.where}: column {column!r} is empty, and no answer is right then; leave the row out"
        )
    return found
