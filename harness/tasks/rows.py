"""Make a sample of a row of a source's data, whatever the row was read from."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from harness.errors import DataError, UnknownName
from harness.tasks.options import label_of, read_choices, read_pair, right_choice
from harness.tasks.references import references as references_of
from harness.tasks.references import text_of
from harness.tasks.remarks import LINE_ENDS, READ_AS, ROWS, UNANSWERED
from harness.tasks.shapes import Shaped, shaped
from harness.types import Sample, Shape, Source

LONGEST_COLUMN = 40  # characters of a column's name in a message
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a source's data, and its place, for messages."""

    where: str
    values: Mapping[str, Any]
    textual: bool = False  # every value is a text: a list can only be written as JSON
    number: int | None = None  # in the file, from 1; None: the rows are all rows of the file


def sample_of(
    row: Row,
    source: Source,
    shape: Shape,
    numbered: str,  # its id, if no column is named for ids
    remarks: Counter[str],  # gets the counts that harness.tasks.remarks names
) -> Sample | None:
    """Return a row as a sample; None for a row that its shape leaves out. Raises DataError for a row that is no sample."""
    remarks[ROWS] += 1
    if row.textual:
        row = _with_line_feeds(row, remarks)
    if shape == "columns":
        sample = _by_columns(row, source, numbered, remarks)
    else:
        remarks[READ_AS + shape] += 1
        found = shaped(row.values, shape, row.where, textual=row.textual)
        if isinstance(found, str):
            remarks[found] += 1
            return None
        remarks[UNANSWERED] += found.unanswered
        sample = _by_shape(row, source, found, numbered, remarks)
    _refuse_surrogates(sample, row)
    return sample


def _with_line_feeds(row: Row, remarks: Counter[str]) -> Row:
    """Return a row of a file of text with line feeds as the line ends in its cells, whatever system wrote the file."""
    if not any("\r" in cell for cell in row.values.values()):
        return row
    remarks[LINE_ENDS] += 1
    cells = {name: cell.replace("\r\n", "\n").replace("\r", "\n") for name, cell in row.values.items()}
    return replace(row, values=cells)


def _by_columns(row: Row, source: Source, numbered: str, remarks: Counter[str]) -> Sample:
    """Return the sample of a row whose columns the source names."""
    taken = {key: source.columns_of(key) for key in ("input", "reference", *source.columns)}
    for key, columns in taken.items():
        for column in columns:
            if column not in row.values:
                raise _no_column(column, key, row)
            if key != "choices":
                _refuse_structure(row, column, lists=key == "reference")
    answers, choices = _answers(row, source, taken, remarks)
    return Sample(
        id=_id(row, source, numbered),
        input=text_of(row.values[taken["input"][0]]),
        references=answers,
        choices=choices,
        metadata=_others(row, {column for columns in taken.values() for column in columns}),
    )


def _by_shape(row: Row, source: Source, found: Shaped, numbered: str, remarks: Counter[str]) -> Sample:
    """Return the sample of a row of a shape; for a kind that prefers one of two answers, both are its choices."""
    answer, others = found.answer, {}
    choices: tuple[str, ...] = ()
    if found.rejected is not None and "chosen" in source.columns:
        choices = read_pair(answer, found.rejected, row.where)
    elif found.rejected is not None:
        others = {"rejected": found.rejected}
    if source.labels:
        answer = label_of(answer, source.labels, f"{row.where}: the answer")
    return Sample(
        id=_id(row, source, numbered),
        input=found.input,
        references=choices[:1] or references_of([answer], remarks, textual=False),
        choices=choices,
        metadata=_others(
            row, {*found.used, *source.columns_of("id")} if "id" in source.columns else {*found.used}
        )
        | others,
        turns=found.turns,
    )


def _id(row: Row, source: Source, numbered: str) -> str:
    """Return the id of a row: that of its column, if one is named for ids."""
    if "id" not in source.columns:
        return numbered
    (column,) = source.columns_of("id")
    if column not in row.values:
        raise _no_column(column, "id", row)
    _refuse_structure(row, column, lists=False)
    sample_id = text_of(row.values[column])
    if not sample_id.strip():
        raise DataError(f"{row.where}: column {column!r} is empty; give the sample an id")
    if control := _CONTROL.search(sample_id):
        raise DataError(
            f"{row.where}: column {column!r} contains the control character {control[0]!r}; an id is one line of text"
        )
    return sample_id


def _no_column(column: str, key: str, row: Row) -> UnknownName:
    """Return the error for a row without a column; long names are cut, as those of a file without a row of names."""
    known = [_cut(str(name)) for name in row.values]
    more = ""
    if row.textual and not get_close_matches(column, known, cutoff=0.5):
        more = " (the first row of a CSV file is read as the names of its columns)"
    return UnknownName(
        "column", column, known, f"{row.where}: columns.{key}", ("source", "columns", key), more
    )


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_COLUMN else f"{name[:LONGEST_COLUMN]}…"


def _others(row: Row, used: set[str]) -> dict[str, str]:
    """Return the columns that were not used, as text."""
    return {name: text_of(value) for name, value in row.values.items() if name not in used}


def _answers(
    row: Row, source: Source, taken: Mapping[str, Sequence[str]], remarks: Counter[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the references and the choices of a row, as far as its source has columns for them."""
    if "chosen" in taken and "rejected" in taken:
        chosen, rejected = (row.values[taken[key][0]] for key in ("chosen", "rejected"))
        pair = read_pair(chosen, rejected, row.where)
        return pair[:1], pair
    if not taken["reference"]:
        return (), ()
    column = taken["reference"][0]
    if "choices" in taken:
        cells = [row.values[name] for name in taken["choices"]]
        where = f"{row.where}: column {taken['choices'][0]!r}"
        choices = read_choices(cells, where, textual=row.textual)
        right = right_choice(row.values[column], choices, f"{row.where}: column {column!r}", remarks)
        return (right,), choices.texts
    if source.labels:
        return (label_of(row.values[column], source.labels, f"{row.where}: column {column!r}"),), ()
    return _references(row, taken["reference"], remarks), ()


def _references(row: Row, columns: Sequence[str], remarks: Counter[str]) -> tuple[str, ...]:
    """Return the references of a row; raise DataError if it has none, or an empty one in a list."""
    found = references_of([row.values[column] for column in columns], remarks, textual=row.textual)
    if found and all(found):
        return found
    empty = f"column {columns[0]!r} is empty"
    if len(columns) > 1:
        names = ", ".join(map(repr, columns))
        empty = (
            f"a list in the columns {names} has an empty entry" if found else f"the columns {names} are empty"
        )
    raise DataError(f"{row.where}: {empty}; give a reference answer, or drop the row")


def _refuse_structure(row: Row, column: str, *, lists: bool) -> None:
    """Raise DataError for a value that is no text: a mapping, or a list in a column that takes one text."""
    value = row.values[column]
    entries = value if isinstance(value, list) else [value]
    if any(isinstance(entry, dict) for entry in entries):
        what = "a list of mappings (chat messages?)" if isinstance(value, list) else "a mapping"
    elif any(isinstance(entry, list | tuple) for entry in entries):
        what = "a list of lists"
    elif isinstance(value, list) and not lists:
        what = "a list"
    else:
        return
    raise DataError(
        f"{row.where}: column {column!r} holds {what}, which is not read from a column; write a text into it, or let the "
        "source's `shape` say how such rows are read"
    )


def _refuse_surrogates(sample: Sample, row: Row) -> None:
    """Raise DataError if a text or a column's name is not valid Unicode, which no report can contain."""
    whole = "".join((sample.id, *sample.told, *sample.references, *sample.choices, *sample.metadata.values()))
    names = "".join(map(str, row.values))
    if whole.isascii() and names.isascii():
        return
    if found := _SURROGATE.search(whole) or _SURROGATE.search(names):
        raise DataError(
            f"{row.where}: contains a lone surrogate, \\u{ord(found[0]):04x}, which is not valid Unicode; "
            "correct the character, or remove the row"
        )
