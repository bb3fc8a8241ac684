"""Samples from files: JSON Lines, JSON, CSV and Parquet.

`file:FOLDER` holds train, validation and test files; `file:FILE` alone is the test split. `splits` may name a file
for each instead, relative to the folder.
"""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.data import FileDigests, Row
from harness.digest import digest
from harness.errors import DataError, UnknownName
from harness.types import Source, Split
from harness.yaml_lines import shown

BUFFER = 1 << 20  # bytes of a Parquet column that are read at once

_STEMS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    return tuple(files(source))


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    found = files(source)
    if split not in found:
        raise DataError(
            f"{source.uri}: no {split} split, only {', '.join(found)}; name its file: `splits: {{{split}: …}}`"
        )
    yield from _READERS[found[split].suffix](found[split])


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    return digest({split: digests(path) for split, path in files(source).items()})


def files(source: Source) -> dict[Split, Path]:
    """The file of each split that the source has."""
    place = _existing(Path(source.uri.removeprefix("file:")))
    folder = place if place.is_dir() else place.parent
    if source.splits:
        found = {
            split: _existing(folder / source.splits[split]) for split in _STEMS if split in source.splits
        }
    elif place.is_file():
        found = {"test": place}
    else:
        found = {split: path for split, stems in _STEMS.items() if (path := _only(folder, stems))}
    if "test" not in found:
        raise DataError(
            f"{shown(place)}: no test file; add test.jsonl, .json, .csv or .parquet, or name it in `splits`"
        )
    for path in found.values():
        if path.suffix not in _READERS:
            raise DataError(
                f"{shown(path)}: found a {path.suffix or 'nameless'} file; give one of {', '.join(_READERS)}"
            )
    return found


def _existing(path: Path) -> Path:
    if not path.exists():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UnknownName("file", path.name, near, shown(path.parent))
    return path


def _only(folder: Path, stems: tuple[str, ...]) -> Path | None:
    """The folder's one file with such a name."""
    found = [
        folder / (stem + suffix)
        for stem in stems
        for suffix in _READERS
        if (folder / (stem + suffix)).is_file()
    ]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{shown(folder)}: found {names}; keep one, or name it in `splits`")
    return found[0] if found else None


def _json_lines(path: Path) -> Iterator[Row]:
    """One object a line; empty lines are passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{shown(path)}:{number}"
            text = _decoded(line, where)
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"{where}: broken JSON at column {error.colno}: {error.msg}; mend or drop the line"
                ) from None
            yield Row(where=where, values=_object(values, where))


def _json(path: Path) -> Iterator[Row]:
    """One list of objects; a file that begins with an object is taken for JSON Lines."""
    text = _decoded(path.read_bytes(), shown(path))
    if text.lstrip().startswith("{"):
        yield from _json_lines(path)
        return
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{shown(path)}:{error.lineno}"
        raise DataError(f"{where}: broken JSON at column {error.colno}: {error.msg}; mend the file") from None
    if not isinstance(entries, list):
        raise DataError(f"{shown(path)}: found no list; give a list of objects")
    for number, values in enumerate(entries, start=1):
        where = f"{shown(path)}: row {number}"
        yield Row(where=where, values=_object(values, where))


def _csv(path: Path) -> Iterator[Row]:
    """Comma-separated, quoted with '"', the first line naming the columns."""
    csv.field_size_limit(
        2**31 - 1
    )  # the module's own limit, 131,072 characters, is shorter than long documents
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file, strict=True)
        line = 1
        try:
            names = next(table, [])
            for cells in table:
                where, line = f"{shown(path)}:{line + 1}", table.line_num
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise DataError(
                        f"{where}: found {len(cells)} cells under {len(names)} columns; quote cells with commas"
                    )
                yield Row(where=where, values=dict(zip(names, cells, strict=True)))
        except csv.Error as error:
            raise DataError(f"{shown(path)}:{table.line_num}: broken CSV: {error}; mend the row") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{shown(path)}: not UTF-8 after line {line}; save it as UTF-8") from error


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        # By default a row group is read whole, and many files are one row group.
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            entries = (values for batch in file.iter_batches(1024) for values in batch.to_pylist())
            for number, values in enumerate(entries, start=1):
                yield Row(where=f"{shown(path)}: row {number}", values=values)
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{shown(path)}: not Parquet: {error}; write it anew") from error


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _object(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DataError(
            f"{where}: found {type(values).__name__}; give an object with a value for each column"
        )
    return values


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _json_lines,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}
