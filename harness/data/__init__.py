"""Samples from files, from the hub, from the sets that come with the harness.

A source is a file of this folder, found by the uri's scheme, with three functions:

    splits(source, *, offline)        -> the splits it has
    rows(source, split, *, offline)   -> Iterator[Row], in file order, one at a time
    pin(source, digests, *, offline)  -> what names its content today: a commit, or a digest of its files
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import plugins, prompts
from harness.errors import DataError, UnknownName
from harness.types import Sample, Share, Source, Split, Task

FileDigests = Callable[[Path], str]

# Licences that let samples be shown to others, as the hub's data cards call them.
_PERMISSIVE = re.compile(r"(mit|apache|bsd|isc|cc0|cc-by|odc-by|odbl|pddl|unlicense|public-domain)\b")
_RESTRICTED = re.compile(r"\b(nc|nd|noncommercial|noderivatives|research)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as its source gives it, and where it stands, for messages."""

    where: str
    values: Mapping[str, Any]


def schemes() -> tuple[str, ...]:
    return tuple(name for name in plugins.names("data") if name != "overlap")


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """The splits that a source has."""
    found: tuple[Split, ...] = _reader(source).splits(source, offline=offline)
    return found


def read(source: Source, split: Split, *, offline: bool = False) -> Iterator[Sample]:
    """The split's samples in file order. A row that cannot be one, or an id given twice, is a DataError."""
    seen: set[str] = set()
    number = 0
    for number, row in enumerate(_reader(source).rows(source, split, offline=offline), start=1):
        sample = _sample(row, source.columns, f"{split}-{number:06d}")
        if sample.id in seen:
            raise DataError(
                f"{row.where}: the id {sample.id!r} is there twice; ids tell samples apart, make them differ"
            )
        if "id" in source.columns:  # numbered ones cannot repeat
            seen.add(sample.id)
        yield sample
    if not number:
        raise DataError(f"{source.uri}: the {split} split is empty; give it samples, or leave the split out")


def check(task: Task, *, offline: bool = False) -> dict[Split, int]:
    """Samples in each split, once all of them are read and have what the task asks for."""
    counts: dict[Split, int] = {}
    for split in splits(task.source, offline=offline):
        for count, sample in enumerate(read(task.source, split, offline=offline), start=1):
            prompts.render(task, sample)
            if task.cluster is not None and task.cluster not in sample.metadata:
                where = f"task {task.name!r}: cluster: {split} sample {sample.id!r}"
                raise UnknownName("column", task.cluster, sample.metadata, where)
            counts[split] = count
    return counts


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """What names the source's content today."""
    name: str = _reader(source).pin(source, digests, offline=offline)
    return name


def pinned(source: Source, name: str) -> Source:
    """The source at its pin: what is read from a hub data set cannot move between plan and run."""
    if not source.uri.startswith("hub:"):
        return source
    return replace(source, uri=f"{source.uri.partition('@')[0]}@{name}")


def share_of(source: Source) -> Share:
    """What of the samples may leave the machine: their text only where a licence says so, or they are ours."""
    if source.share is not None:
        return source.share
    if source.uri.startswith("embedded:"):
        return "text"
    if source.uri.startswith("file:") or source.licence is None:
        return "scores"
    licence = re.sub(r"[\s_]+", "-", source.licence.lower())
    return "text" if _PERMISSIVE.match(licence) and not _RESTRICTED.search(licence) else "scores"


def _reader(source: Source) -> ModuleType:
    return plugins.find("data", source.uri.partition(":")[0])


def _sample(row: Row, columns: Mapping[str, str], numbered: str) -> Sample:
    """The row as a sample, under an id made of split and row number where no column is named for it."""
    taken = {key: columns.get(key, key) for key in ("input", "reference")} | dict(columns)
    for key, column in taken.items():
        if column not in row.values:
            raise UnknownName("column", column, row.values, f"{row.where}: columns.{key}")
    sample_id = _text(row.values[taken["id"]]) if "id" in taken else numbered
    references = _texts(row.values[taken["reference"]])
    if not sample_id:
        raise DataError(f"{row.where}: column {taken['id']!r} is empty; give the sample an id")
    if not references or not all(reference.strip() for reference in references):
        raise DataError(
            f"{row.where}: column {taken['reference']!r} is empty; give a reference answer, or drop the row"
        )
    return Sample(
        id=sample_id,
        input=_text(row.values[taken["input"]]),
        references=references,
        choices=_texts(row.values[taken["choices"]]) if "choices" in taken else (),
        metadata={name: _text(value) for name, value in row.values.items() if name not in taken.values()},
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else (_text(value),)


def _text(value: Any) -> str:
    """Text as it is, nothing as empty text, anything else as JSON writes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
