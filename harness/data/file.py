"""Read samples from files: JSON Lines, JSON, CSV and Parquet.

Text is UTF-8, with or without a mark at its beginning; a line ends with LF, CR LF or CR.

`file:FOLDER` contains train, validation and test files; `file:FILE` alone is the test split. `splits` may name a file
for each split instead, relative to the folder, or a part of a file's rows: `data.json[:90%]`.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Literal

from harness import text as words
from harness.data import FileDigests, Row
from harness.digest import digest
from harness.errors import DataError, UnknownName
from harness.files.row_range import WHOLE, RowRange, split_name
from harness.files.yaml import Keys, shown
from harness.types import Source, Split

LOCAL = True  # the uri's place is a path
NAMED = 6  # files that a message names
_URI: Keys = ("source", "uri")
BUFFER = 1 << 20  # bytes of a Parquet column that are read in one go
# The first bytes of files that are no UTF-8 text, what such a file is, and what to do with it.
_OTHERS = (
    (b"\x1f\x8b", "is a gzip file", "unpack it"),
    (b"PK\x03\x04", "is a zip file or a spreadsheet", "unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "is a spreadsheet", "save it as CSV"),
    (b"BZh", "is a bzip2 file", "unpack it"),
    (b"\xfd7zX", "is an xz file", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "is a zstd file", "unpack it"),
    (b"PAR1", "is a Parquet file", "name it .parquet"),
    (b"\xff\xfe\x00\x00", "is UTF-32", "save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "is UTF-32", "save it as UTF-8"),
    (b"\xff\xfe", "is UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16", "save it as UTF-8"),
)

# Endings of files that are not read, and what to do with such a file.
_UNREAD = {
    ".xlsx": "save it as CSV",
    ".xls": "save it as CSV",
    ".ods": "save it as CSV",
    ".numbers": "save it as CSV",
    ".tsv": "save it as CSV, with commas",
    ".gz": "unpack it",
    ".zip": "unpack it",
    ".bz2": "unpack it",
    ".xz": "unpack it",
    ".zst": "unpack it",
}

_STEMS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


@dataclass(frozen=True, slots=True)
class SplitFile:
    """The file of a split, and which of its rows the split takes."""

    path: Path
    rows: RowRange = WHOLE


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits of a file or a folder."""
    return tuple(files(source))


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the rows of a split's file."""
    found = files(source)
    if split not in found:
        raise DataError(
            f"{source.uri}: no {split} split, only {', '.join(found)}; name its file: `splits: {{{split}: …}}`"
        )
    part = found[split]
    with _readable(part.path):
        if part.path.suffix != ".parquet":
            _refuse_other_formats(part.path)
        if part.rows == WHOLE:
            yield from _READERS[part.path.suffix](part.path)
        else:
            yield from _part(part)


def _part(part: SplitFile) -> Iterator[Row]:
    """Yield the rows of a part of a file, each with its number in the file."""
    taken = _taken(part)
    for number, row in enumerate(islice(_READERS[part.path.suffix](part.path), taken.stop), start=1):
        if number > taken.start:
            yield replace(row, number=number)


def _taken(part: SplitFile, *, count: bool = False) -> range:
    """Return the rows that a split takes, counted from 0; the file's rows are only counted where they have to be."""
    if count or part.rows.needs_count:
        return part.rows.of(sum(1 for _ in _READERS[part.path.suffix](part.path)))
    return part.rows.of(sys.maxsize)


def shared_rows(source: Source) -> Iterator[str]:
    """Yield a sentence for each two splits that take the same rows of a file."""
    for (one, first), (other, second) in combinations(files(source).items(), 2):
        if first.path.resolve() != second.path.resolve():
            continue
        with _readable(first.path):
            ours, theirs = _taken(first, count=True), _taken(second, count=True)
        shared = range(max(ours.start, theirs.start), min(ours.stop, theirs.stop))
        if shared:
            yield (
                f"{one} and {other} share {words.plural(len(shared), 'row')} of {first.path.name} ({shared.start + 1:,} to "
                f"{shared.stop:,}); give each row to one split"
            )


def _reason(error: OSError | ValueError) -> str:
    """Return the first line of the system's message."""
    message = error.strerror if isinstance(error, OSError) else None
    return message or str(error).partition("\n")[0]


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a digest of the source's files."""
    return digest({split: _digest(part.path, digests) for split, part in files(source).items()})


def _digest(path: Path, digests: FileDigests) -> str:
    with _readable(path):
        return digests(path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn an OSError about a file into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read: {_reason(error)}") from error


def files(source: Source) -> dict[Split, SplitFile]:
    """Return the file of each split of the source, with the rows that the split takes."""
    place = _existing(Path(source.uri.removeprefix("file:")), _URI)
    folder = place if place.is_dir() else place.parent
    if source.splits:
        found = {
            split: _named(folder, source.splits[split], ("source", "splits", split))
            for split in _STEMS
            if split in source.splits
        }
    elif place.is_file():
        found = {"test": SplitFile(place)}
    else:
        found = {split: SplitFile(path) for split, stems in _STEMS.items() if (path := _only(folder, stems))}
        for split in (split for split in _STEMS if split not in found):
            _refuse_unread(folder, _STEMS[split])
    if "test" not in found:
        raise DataError(
            f"{shown(place)}: no test file; add test.jsonl, .json, .csv or .parquet, or name it in `splits`"
            f"{_hint_of(_others(folder, found))}",
            _URI,
        )
    for split, path in ((split, part.path) for split, part in found.items()):
        key = ("source", "splits", split) if source.splits else _URI
        if path.suffix not in _READERS:
            raise DataError(
                f"{shown(path)}: found a {path.suffix or 'nameless'} file; give one of {', '.join(_READERS)}",
                key,
            )
        if not path.is_file():
            raise DataError(f"{shown(path)}: not a file; name a file of samples", key)
    return found


def json_object(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; DataError where it cannot be read, or holds no object."""
    with _readable(path):
        content = path.read_bytes()
    return _object(_loaded(_decoded(content, shown(path)), shown(path), "file"), shown(path))


def place(source: Source, split: Split) -> str:
    """Return the file of a split, with the rows that the split takes of it."""
    rows = source.splits.get(split, "").partition("[")[1:]
    return shown(files(source)[split].path) + "".join(rows)


def hint(source: Source, split: Split) -> str:
    """Return the end of the message on a missing split: how the parts of a file are named."""
    place = Path(source.uri.removeprefix("file:"))
    if source.splits:
        return ""
    return _hint_of([place]) if place.is_file() else _hint_of(_others(place, files(source)))


def _others(folder: Path, found: Mapping[Split, SplitFile]) -> list[Path]:
    """Return the files of a folder that could be read and are of no split."""
    taken = {part.path for part in found.values()}
    return sorted(
        path for path in folder.iterdir() if path.suffix in _READERS and path.is_file() and path not in taken
    )


def _hint_of(others: Sequence[Path]) -> str:
    """Return how the task names parts of the only other file, or which other files there are."""
    if len(others) > 1:
        more = ", …" if len(others) > NAMED else ""
        return f"; found {', '.join(path.name for path in others[:NAMED])}{more}"
    return "".join(
        f'; or take parts of {path.name}: `splits: {{train: "{path.name}[:60%]", '
        f'validation: "{path.name}[60%:80%]", test: "{path.name}[80%:]"}}`'
        for path in others
    )


def _refuse_unread(folder: Path, stems: tuple[str, ...]) -> None:
    """Raise DataError for a spreadsheet or a compressed file that has the name of a split."""
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in stems and path.suffix.lower() in _UNREAD and path.is_file():
            what = "".join(path.suffixes)
            raise DataError(f"{shown(path)}: {what} files are not read; {_UNREAD[path.suffix.lower()]}", _URI)


def _named(folder: Path, name: str, key: Keys) -> SplitFile:
    """Return the file that a split names, and the rows that it takes of it."""
    file, taken = split_name(name)
    return SplitFile(_existing(folder / file, key), taken)


def _existing(path: Path, key: Keys) -> Path:
    try:
        found = path.exists()
    except (OSError, ValueError) as error:  # a name that is too long, or contains a NUL
        raise DataError(f"{shown(path)}: cannot be read: {_reason(error)}", key) from error
    if not found and not path.parent.is_dir():
        raise DataError(
            f"{shown(path)}: no such file or folder, nor is {shown(path.parent)}; a path starts at the folder of the "
            "file that names it",
            key,
        )
    if not found:
        here = Path.cwd() / path.name
        there = [entry.name for entry in path.parent.iterdir()]
        started = "a path starts at the folder of the file that names it"
        if here.exists() and here.parent != path.parent:
            way = os.path.relpath(here, path.parent)
            raise DataError(
                f"{shown(path)}: no such file or folder; {started}: did you mean {way!r}?",
                key,
            )
        raise UnknownName("file", path.name, there, shown(path.parent), key, f" ({started})")
    return path


def _only(folder: Path, stems: tuple[str, ...]) -> Path | None:
    """Return the folder's only file with one of these stems; None if there is none."""
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


def _refuse_other_formats(path: Path) -> None:
    """Raise DataError if a file's first bytes are not those of UTF-8 text."""
    with path.open("rb") as file:
        first = file.read(4)
    for begins, what, way in _OTHERS:
        if first.startswith(begins):
            raise DataError(f"{shown(path)}:1: {what}; {way}")
    if b"\x00" in first:  # no text of UTF-8 begins so
        raise DataError(f"{shown(path)}:1: is UTF-16 or UTF-32, or no text; save it as UTF-8")


class _Twice(dict[str, Any]):
    """A JSON object that has a key twice."""

    key: str


def _from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, marked if it has a key twice: the caller, which knows its place in the file, refuses it."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = _Twice(found)
    marked.key = _repeated([key for key, _ in pairs]) or ""
    return marked


def _repeated(names: Sequence[str]) -> str | None:
    """Return the first name that occurs twice; None if there is none."""
    return next((name for at, name in enumerate(names) if name in names[:at]), None)


def _refuse_repeated(names: Sequence[str], where: str) -> None:
    """Raise DataError if two columns have the same name: one of them would be lost."""
    if len(set(names)) < len(names):
        raise DataError(f"{where}: column {_repeated(names)!r} is there twice; rename one")


def _json_lines(path: Path) -> Iterator[Row]:
    """Yield the object of each line; empty lines are skipped."""
    with path.open(encoding="utf-8-sig") as file:  # which ends a line at LF, CR LF and CR alike
        try:
            for number, line in enumerate(file, start=1):
                where, text = f"{shown(path)}:{number}", line.removeprefix("\ufeff")
                if text.strip():
                    yield Row(where=where, values=_object(_loaded(text, where, "line"), where))
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def _json(path: Path) -> Iterator[Row]:
    """Yield the objects of a list; a file that begins with an object is read as JSON Lines."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    if text.lstrip().startswith("{"):
        yield from _json_lines(path)
        return
    entries = _loaded(text, shown(path), "file")
    if not isinstance(entries, list):
        raise DataError(f"{shown(path)}: found no list; give a list of objects")
    for number, values in enumerate(entries, start=1):
        where = f"{shown(path)}: row {number}"
        yield Row(where=where, values=_object(values, where))


def _loaded(text: str, where: str, unit: Literal["line", "file"]) -> Any:
    """Return the value of a line or a file of JSON; raise DataError if it is not valid JSON."""
    try:
        return json.loads(text.rstrip(), object_pairs_hook=_from_pairs)
    except json.JSONDecodeError as error:
        where, way = (
            (where, "fix or remove the line") if unit == "line" else (f"{where}:{error.lineno}", "fix it")
        )
        raise DataError(f"{where}: broken JSON at column {error.colno}: {error.msg}; {way}") from None
    except RecursionError:
        raise DataError(f"{where}: JSON that is nested too deep; write it flat") from None
    except ValueError:  # Python reads no whole number of more than some 4,300 digits
        raise DataError(f"{where}: JSON with a number of thousands of digits; write it as text") from None


def _csv(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file: separated by commas, quoted with '"', with column names in the first line."""
    # The module's own limit, 131,072 characters, is shorter than long documents.
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file, strict=True)
        line = 0
        try:
            names = next(table, [])
            line = table.line_num
            _refuse_other_separators(path, names)
            _refuse_repeated(names, f"{shown(path)}:1")
            for cells in table:
                where, line = f"{shown(path)}:{line + 1}", table.line_num
                if not cells:
                    continue
                if any("\0" in cell for cell in cells):
                    raise DataError(f"{where}: found a NUL character (U+0000) in a cell; remove it")
                if len(cells) != len(names):
                    remedy = "quote cells with commas" if len(cells) > len(names) else "add the missing cells"
                    raise DataError(
                        f"{where}: found {words.plural(len(cells), 'cell')} under {len(names)} columns; {remedy}"
                    )
                yield Row(where=where, values=dict(zip(names, cells, strict=True)), textual=True)
        except csv.Error as error:
            raise _broken(path, line, table.line_num, str(error)) from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def _broken(path: Path, read: int, line: int, reason: str) -> DataError:
    """Return the error for a row that cannot be read; `read` is the last line before the row."""
    if reason == "unexpected end of data":
        return DataError(
            f"{shown(path)}:{read + 1}: broken CSV: a quote is opened in this row and never closed; close it, and "
            "double each quote inside a cell"
        )
    return DataError(f"{shown(path)}:{line}: broken CSV: {reason}; fix the row")


def _refuse_other_separators(path: Path, names: list[str]) -> None:
    """Raise DataError if the first line is one column whose name contains another separator than a comma."""
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and separator in names[0]:
            raise DataError(
                f"{shown(path)}:1: its columns seem to be separated by {word}; save it with commas, or as JSON Lines"
            )


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        # By default a row group is read whole, and many files are one row group.
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            _refuse_repeated(file.schema_arrow.names, shown(path))
            entries = (values for batch in file.iter_batches(1024) for values in batch.to_pylist())
            for number, values in enumerate(entries, start=1):
                yield Row(where=f"{shown(path)}: row {number}", values=values)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        # ValueError: text that is not UTF-8, dates beyond the year 9999. Some errors have a page of text.
        raise DataError(
            f"{shown(path)}: not Parquet: {str(error).partition(chr(10))[0]}; write it again"
        ) from error


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        old = content[error.start : error.start + 1].decode("cp1252", "ignore")
        guess = f" ({old!r} in Windows-1252)" if old else ""
        raise DataError(f"{where}: not UTF-8 at byte {error.start}{guess}; save it as UTF-8") from error


def _not_utf8(path: Path) -> DataError:
    """Return the error for a file that is not UTF-8, with its first such line: readers decode many lines at once."""
    with path.open("rb") as file:
        lines = (line for block in file for line in block.splitlines())
        for number, line in enumerate(lines, start=1):
            try:
                _decoded(line, f"{shown(path)}:{number}")
            except DataError as error:
                return error
    return DataError(f"{shown(path)}: not UTF-8; save it as UTF-8")


def _object(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DataError(
            f"{where}: found {type(values).__name__}; give an object with a value for each column"
        )
    if isinstance(values, _Twice):
        raise DataError(f"{where}: column {values.key!r} is there twice; rename one")
    return values


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _json_lines,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}
