"""Records to and from files: JSON for one, JSON Lines for many; what is written is on disk when the call returns."""

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

from pydantic import TypeAdapter

Record = TypeVar("Record")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(record: object) -> Any:
    """The record as plain JSON data."""
    return _adapter(cast(Any, type(record))).dump_python(record, mode="json")


def from_json(kind: type[Record], data: object) -> Record:
    """The record that the plain data describes; pydantic's ValidationError where it does not."""
    record: Record = _adapter(cast(Any, kind)).validate_python(data, strict=False)
    return record


def write_json(path: Path, data: object) -> None:
    """Written beside and renamed: a reader sees the old file or the new one, never half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump(data, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.write("\n")
        flush(file)
    beside.replace(path)


def read_json(path: Path) -> Any:
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        return json.load(file)


def line(record: object) -> str:
    """One line of JSON, its end included."""
    return json.dumps(to_json(record), ensure_ascii=False, allow_nan=False) + "\n"


def write_lines(path: Path, records: Iterable[object]) -> int:
    """Writes one record a line and says how many."""
    count = 0
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for record in records:
            file.write(line(record))
            count += 1
        flush(file)
    return count


def iterate_lines(path: Path, kind: type[Record]) -> Iterator[Record]:
    """The records of a JSON Lines file. A last line without an end was torn by a crash and is left out."""
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        for text in file:
            if text.endswith("\n"):
                yield from_json(kind, json.loads(text))


def read_lines(path: Path, kind: type[Record]) -> list[Record]:
    return list(iterate_lines(path, kind))


def drop_torn_line(path: Path) -> None:
    """Cuts a last line without an end, so that the file can be appended to."""
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def flush(file: TextIO) -> None:
    """Hands what was written to the disk itself."""
    file.flush()
    os.fsync(file.fileno())
