"""Write and read compressed JSON Lines: equal content gives equal bytes, and reading is limited, as 8 MB may hold 8 GB."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultError
from harness.files.regular import open_regular

LONGEST_LINE = 1 << 26  # bytes; no model reads such a long sample
PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a compressed file may hold, if its size was not recorded."""

    always: int = 1 << 28  # bytes, of any file
    times: int = 100  # its own size; answers compress to a tenth or so


def write_zipped(path: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Write JSON Lines, compressed by gzip."""
    with (
        path.open("wb") as raw,
        # Level 9, the default, took 8 times as long for 6 % less.
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0, filename="") as file,
    ):
        for content in lines:
            text = json.dumps(content, ensure_ascii=False) + "\n"
            file.write(text.encode("utf-8", "surrogatepass"))


def read_zipped(path: Path, recorded: Callable[[], int], limits: Limits = Limits()) -> Iterator[bytes]:
    """Yield the lines; raise ResultError if a line is too long, or if the file holds far more than its size suggests.

    Such a file may hold as many bytes as were `recorded` when it was written.
    """
    allowed, total = 0, 0
    try:
        allowed = max(limits.always, limits.times * path.stat().st_size)
        with open_regular(path) as raw, gzip.GzipFile(fileobj=raw, mode="rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                total += len(line)
                if len(line) > LONGEST_LINE:
                    raise ResultError(
                        f"{path}: a line of more than {LONGEST_LINE:,} bytes; not the harness's"
                    )
                if total > allowed and total > (allowed := max(allowed, recorded())):
                    raise ResultError(
                        f"{path}: {path.stat().st_size:,} bytes hold more than {allowed:,}, the most that was "
                        "written; not the harness's, or changed by hand"
                    )
                yield line
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ResultError(f"{path}: cannot be read: {reason}; copy the RESULT again as a whole") from error


def unzipped_size(path: Path) -> int:
    """Return how many bytes a compressed file holds; it is read in pieces."""
    total = 0
    with open_regular(path) as raw, gzip.GzipFile(fileobj=raw, mode="rb") as file:
        while piece := file.read(PIECE):
            total += len(piece)
    return total
