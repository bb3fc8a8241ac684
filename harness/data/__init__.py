"""Read samples from files, from the hub, and from the data sets that come with the harness.

A kind of source is a file of this folder, found by the uri's scheme, with three functions:

    splits(source, *, offline)        -> the splits of the source
    rows(source, split, *, offline)   -> Iterator[Row], in file order, one at a time
    pin(source, digests, *, offline)  -> a commit, or a digest of files, that changes with the source's content

It may have `shared_rows(source)`, which yields a sentence for each two splits that take the same rows.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import plugins
from harness.errors import DataError, UnknownName
from harness.tasks import prompts
from harness.tasks.options import label_of, read_choices, read_pair, right_choice
from harness.tasks.references import references as references_of
from harness.tasks.references import text_of
from harness.tasks.remarks import LINE_ENDS, ROWS
from harness.types import Prompt, Sample, Share, Source, Split, Task, Uri

RULES = 1  # raised when more is counted while data is read: counts that are kept between runs are made again

FileDigests = Callable[[Path], str]
Ask = Callable[[Task, Sample, Sequence[Sample]], Prompt]

# Licences that let samples be shown to others, as the hub's data cards call them.
_PERMISSIVE = re.compile(r"(mit|apache|bsd|isc|cc0|cc-by|odc-by|odbl|pddl|unlicense|public-domain)\b")
_RESTRICTED = re.compile(r"\b(nc|nd|noncommercial|noderivatives|research)\b")

# split -> what needs it, and what to do where it is missing
_NEEDED: Mapping[Split, tuple[str, str]] = {
    "train": ("training and few-shot prompts need", "add the split"),
    "validation": (
        "training needs to choose a checkpoint",
        "add the split, or set `validation_samples: 0` in the recipe",
    ),
    "test": ("every score needs", "add the split"),
}

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a source's data, and its place, for messages."""

    where: str
    values: Mapping[str, Any]
    textual: bool = False  # every value is a text: a list can only be written as JSON
    number: int | None = None  # in the file, from 1; None: the rows are all rows of the file


def schemes() -> tuple[str, ...]:
    """Return the schemes that a source's uri may begin with."""
    return plugins.names("data")


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits of a source."""
    found: tuple[Split, ...] = _reader(source).splits(source, offline=offline)
    return found


def read(
    source: Source,
    split: Split,
    *,
    offline: bool = False,
    remarks: Counter[str] | None = None,  # gets the counts that harness.tasks.remarks names
) -> Iterator[Sample]:
    """Yield a split's samples in file order; raise DataError for a row that is no sample, or an id that is there twice."""
    seen: set[str] = set()
    number = 0
    counts: Counter[str] = Counter() if remarks is None else remarks
    for number, row in enumerate(_reader(source).rows(source, split, offline=offline), start=1):
        counts[ROWS] += 1
        if row.textual:
            row = _with_line_feeds(row, counts)
        sample = _sample(row, source, f"{split}-{row.number or number:06d}", counts)
        if sample.id in seen:
            raise DataError(
                f"{row.where}: the id {sample.id!r} is there twice; ids tell samples apart, make them differ"
            )
        if "id" in source.columns:  # ids made of row numbers cannot repeat
            seen.add(sample.id)
        yield sample
    if not number:
        raise DataError(f"{source.uri}: the {split} split is empty; give it samples, or leave the split out")


def shared_rows(source: Source) -> tuple[str, ...]:
    """Return a sentence for each two splits that take the same rows of a file."""
    find: Callable[[Source], Iterator[str]] | None = getattr(_reader(source), "shared_rows", None)
    return tuple(find(source)) if find else ()


def check(
    task: Task,
    ask: Ask = prompts.render,
    *,
    offline: bool = False,
    remarks: Counter[str] | None = None,  # gets the counts that harness.tasks.remarks names
) -> dict[Split, int]:
    """Return the number of samples in each split; raise SuiteError for a sample that cannot be read or asked.

    `ask` is the function of the task's kind.
    """
    counts: dict[Split, int] = {}
    for split in splits(task.source, offline=offline):
        samples = read(task.source, split, offline=offline, remarks=remarks)
        for count, sample in enumerate(samples, start=1):
            ask(task, sample, ())
            if task.cluster is not None and task.cluster not in sample.metadata:
                where = f"task {task.name!r}: cluster: {split} sample {sample.id!r}"
                raise UnknownName("column", task.cluster, sample.metadata, where)
            counts[split] = count
    return counts


def refuse_missing(task: Task, needed: Collection[Split], found: Collection[Split]) -> None:
    """Raise DataError if the task's source lacks a split that a run reads."""
    for split in needed:
        if split not in found:
            why, remedy = _NEEDED[split]
            raise DataError(
                f"task {task.name}: {task.source.uri} has no {split} split, which {why}; {remedy}"
            )


def check_shots(task: Task, counts: Mapping[Split, int], base_shots: Sequence[int] = (0,)) -> None:
    """Raise DataError if a task asks for more examples than its training split has samples."""
    shots, samples = task.shots + max(base_shots, default=0), counts.get("train", 0)
    if shots > samples:
        has = f"{samples:,} samples" if "train" in counts else "no training split"
        raise DataError(
            f"task {task.name}: {shots:,} examples before a prompt, and {task.source.uri} has {has} to take them from; "
            "lower `shots` or `base_shots`, or add training samples"
        )


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a commit or a digest that changes with the source's content."""
    name: str = _reader(source).pin(source, digests, offline=offline)
    return name


def pinned(source: Source, name: str) -> Source:
    """Return the source at its pin, so that a data set of the hub cannot change between plan and run."""
    if not source.uri.startswith("hub:"):
        return source
    return replace(source, uri=f"{source.uri.partition('@')[0]}@{name}")


def share_of(source: Source) -> Share:
    """Return what may leave the machine: scores alone, or also texts if the source, its licence or the harness allows."""
    if source.share is not None:
        return source.share
    if source.uri.startswith("embedded:"):
        return "text"
    if source.uri.startswith("file:") or source.licence is None:
        return "scores"
    licence = re.sub(r"[\s_]+", "-", source.licence.lower())
    return "text" if _PERMISSIVE.match(licence) and not _RESTRICTED.search(licence) else "scores"


def _reader(source: Source) -> ModuleType:
    return plugins.find("data", Uri.parse(source.uri).scheme)


def _with_line_feeds(row: Row, remarks: Counter[str]) -> Row:
    """Return a row of a file of text with line feeds as the line ends in its cells, whatever system wrote the file."""
    if not any("\r" in cell for cell in row.values.values()):
        return row
    remarks[LINE_ENDS] += 1
    cells = {name: cell.replace("\r\n", "\n").replace("\r", "\n") for name, cell in row.values.items()}
    return replace(row, values=cells)


def _sample(row: Row, source: Source, numbered: str, remarks: Counter[str]) -> Sample:
    """Return a row as a sample; its id is made of split and row number if no column is named for it."""
    taken = {key: source.columns_of(key) for key in ("input", "reference", *source.columns)}
    for key, columns in taken.items():
        for column in columns:
            if column not in row.values:
                raise UnknownName("column", column, row.values, f"{row.where}: columns.{key}")
            if key != "choices":
                _refuse_structure(row, column, lists=key == "reference")
    sample_id = text_of(row.values[taken["id"][0]]) if "id" in taken else numbered
    if not sample_id.strip():
        raise DataError(f"{row.where}: column {taken['id'][0]!r} is empty; give the sample an id")
    if control := _CONTROL.search(sample_id):
        raise DataError(
            f"{row.where}: column {taken['id'][0]!r} contains the control character {control[0]!r}; an id is one line of "
            "text"
        )
    named = {column for columns in taken.values() for column in columns}
    answers, choices = _answers(row, source, taken, remarks)
    sample = Sample(
        id=sample_id,
        input=text_of(row.values[taken["input"][0]]),
        references=answers,
        choices=choices,
        metadata={name: text_of(value) for name, value in row.values.items() if name not in named},
    )
    _refuse_surrogates(sample, row)
    return sample


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
        right = right_choice(row.values[column], choices, f"{row.where}: column {column!r}")
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
        f"{row.where}: column {column!r} holds {what}, which is not read yet; write it into a column of text"
    )


def _refuse_surrogates(sample: Sample, row: Row) -> None:
    """Raise DataError if a text or a column's name is not valid Unicode, which no report can contain."""
    whole = "".join((sample.id, sample.input, *sample.references, *sample.choices, *sample.metadata.values()))
    names = "".join(map(str, row.values))
    if whole.isascii() and names.isascii():
        return
    if found := _SURROGATE.search(whole) or _SURROGATE.search(names):
        raise DataError(
            f"{row.where}: contains a lone surrogate, \\u{ord(found[0]):04x}, which is not valid Unicode; "
            "correct the character, or remove the row"
        )
