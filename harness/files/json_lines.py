"""Write records to files and read them: JSON for one, JSON Lines for many; files are on disk when the call returns."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Literal, TypeVar, cast, overload

from pydantic import TypeAdapter

from harness.errors import HarnessError

Record = TypeVar("Record")

MARK_EVERY = 512  # records between two positions in an index


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(record: object) -> Any:
    """Return the record as plain JSON data."""
    return _adapter(cast(Any, type(record))).dump_python(record, mode="json")


def from_json(kind: type[Record], data: object) -> Record:
    """Return the record that plain data describes; raise pydantic's ValidationError if it describes none."""
    record: Record = _adapter(cast(Any, kind)).validate_python(data, strict=False)
    return record


def write_json(path: Path, data: object) -> None:
    """Write a file beside its place and rename it, so that a reader sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", errors="surrogatepass") as file:
            json.dump(data, file, ensure_ascii=False, indent=1, allow_nan=False)
            file.write("\n")
            flush(file)
        beside.replace(path)
    except BaseException:  # on a full disk the incomplete file takes room that other files need
        beside.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str, mode: Literal["w", "a"] = "w", option: str = "") -> None:
    """Write a file that a command was asked for; raise HarnessError if it cannot be written.

    An existing file stays until all of the new text is on disk.
    """
    with writing(path, option):
        if mode == "a" or (path.exists() and not path.is_file()):  # such as a device
            with path.open(mode, encoding="utf-8", errors="surrogatepass", newline="\n") as file:
                file.write(text)
        else:
            _replace_text(path.resolve(), text)


def _replace_text(path: Path, text: str) -> None:
    """Write a text beside its place and rename it."""
    beside = path.with_name(f".{token_hex(8)}.writing")
    try:
        with beside.open("x", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(text)
            flush(file)
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def refuse_other_kind(
    path: Path, endings: Sequence[str], what: str, option: str, begins: re.Pattern[str] | None = None
) -> None:
    """Raise HarnessError if a file is there that the new file must not replace.

    A path may be replaced if its name ends in one of `endings`, if its content matches `begins` or is empty, or if it is no
    file but, for instance, a device.
    """
    if path.suffix.lower() in endings or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            beginning = file.read(200).decode("utf-8", "replace")
    except OSError:
        return  # writing it will fail too, with its own message
    if beginning and not (begins and begins.match(beginning)):
        wanted = f", or one that ends in {endings[0]}" if endings else ""
        raise HarnessError(f"{option} {path}: is there already and no {what}; name a new file{wanted}")


@contextmanager
def writing(path: Path, option: str = "") -> Iterator[None]:
    """Create the parent folder of a file or folder, and turn an OSError in writing it into a HarnessError.

    `option` is the option that a user gave the path by: "-o".
    """
    place = f"{option} {path}".lstrip()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.filename and not Path(error.filename).absolute().is_relative_to(path.absolute().parent):
            raise  # an error about another file, which is read
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            raise HarnessError(
                f"{place}: cannot be written: a file stands where a folder is needed"
            ) from error
        raise HarnessError(f"{place}: cannot be written: {error.strerror or error}") from error


def read_json(path: Path) -> Any:
    """Return the file's JSON data."""
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        return json.load(file)


def line(record: object) -> str:
    """Return the record as a line of JSON, with its line feed."""
    return json.dumps(to_json(record), ensure_ascii=False, allow_nan=False) + "\n"


def write_lines(path: Path, records: Iterable[object]) -> int:
    """Write one record a line and return how many."""
    count = 0
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for record in records:
            file.write(line(record))
            count += 1
        flush(file)
    return count


def iterate_lines(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of a JSON Lines file. A last line without a line feed was cut by a crash and is skipped."""
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        for text in file:
            if text.endswith("\n"):
                yield from_json(kind, json.loads(text))


def read_lines(path: Path, kind: type[Record]) -> list[Record]:
    """Return the records of a JSON Lines file."""
    return list(iterate_lines(path, kind))


def write_indexed(path: Path, records: Iterable[object]) -> int:
    """Write one record a line and an index of every 512th record's position; return how many."""
    marks, count, place = [], 0, 0
    with path.open("wb") as file:
        for count, record in enumerate(records, start=1):
            if count % MARK_EVERY == 1:
                marks.append(place)
            place += file.write(line(record).encode("utf-8", "surrogatepass"))
        flush(file)
    write_json(index_file(path), {"records": count, "every": MARK_EVERY, "bytes": marks})
    return count


class IndexedLines(Sequence[Record]):
    """The records of an indexed file, read from disk on access; none is kept in memory."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self._path, self._kind = path, kind
        index = read_json(index_file(path))
        self._count, self._every, self._bytes = index["records"], index["every"], index["bytes"]

    def __len__(self) -> int:
        return int(self._count)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return list(islice(self.iterate(start), 0, max(0, stop - start), step))
        if not -len(self) <= place < len(self):
            raise IndexError(f"{self._path}: record {place} of {len(self)}")
        return next(self.iterate(place % len(self)))

    def __iter__(self) -> Iterator[Record]:
        return self.iterate(0)

    def iterate(self, start: int) -> Iterator[Record]:
        """Yield the records from `start` on; records between the index's last position and `start` are skipped unparsed."""
        if start >= len(self):
            return
        with self._path.open("rb") as file:
            file.seek(self._bytes[start // self._every])
            for text in islice(file, start % self._every, None):
                yield from_json(self._kind, json.loads(text))


def index_file(path: Path) -> Path:
    """Return the path of the index of a file: where in the file every 512th record begins."""
    return path.with_suffix(".index.json")


def drop_torn_line(path: Path) -> None:
    """Cut a last line without a line feed, so that lines can be appended to the file."""
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def flush(file: IO[Any]) -> None:
    """Write a file's buffers through to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Write a file's content, or the names in a folder, through to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
