"""A RESULT as flat tables, one file each, in a folder that contains nothing else."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.errors import HarnessError, ResultError
from harness.files.json_lines import read_json, write_json
from harness.results import located, read, read_document
from harness.results import tables as results
from harness.results.document import refuse_damaged
from harness.results.plain import record
from harness.results.values import wrong_value
from harness.types import Generation, Sample, System

Row = dict[str, Any]
Rows = Callable[[], Iterator[Row]]  # iterates over a table from its beginning on each call
MARK = "export.json"  # marks a folder whose tables may be overwritten


def export(folder: Path, out: Path, ending: str, write: Callable[[Rows, Path], None]) -> str:
    """Write each table that has rows into a file of its name; return one line that lists the files."""
    refuse_damaged(folder, read(folder).files)  # reading also checks the types of its records
    document = read_document(folder)
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise HarnessError(
            f"-o {out}: the folder is not empty and not an export; choose an empty or new folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for name, rows in tables(folder, document).items():
        path, beside = out / f"{name}{ending}", out / f".{name}{ending}"
        if next(rows(), None) is None:
            path.unlink(missing_ok=True)  # left by an earlier export
            continue
        beside.unlink(missing_ok=True)  # a symbolic link would be followed
        write(rows, beside)
        beside.replace(path)
        written.append(path.name)
    marks = read_json(out / MARK) if (out / MARK).is_file() else {}
    write_json(
        out / MARK, {**marks, ending: {"suite": document["suite"]["name"], "result": digest(document)}}
    )
    return f"{out}: {', '.join(written)}"


def tables(folder: Path, document: Mapping[str, Any]) -> dict[str, Rows]:
    """Return every table of a RESULT as flat rows, small tables first."""
    own = {name: _checked(folder, name, rows) for name, rows in results.tables(folder, document).items()}
    return {**own, results.ROWS: lambda: _rows(folder / "rows.parquet")}


def flat(record: Mapping[str, Any]) -> Row:
    """Return a row with mappings as JSON and text that can be encoded as UTF-8."""
    return {key: _plain(value) for key, value in record.items()}


def _plain(value: Any) -> Any:
    match value:
        case str():  # half of a surrogate pair cannot be encoded
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return _plain(json.dumps(value, ensure_ascii=False))
        case list():
            return [_plain(item) for item in value]
    return value


def _checked(folder: Path, name: str, rows: results.Rows) -> Rows:
    """Return the rows flattened; iterating raises ResultError at a line with a value that no table can store."""
    if name not in results.LINES:
        return lambda: map(flat, rows())

    def lines() -> Iterator[Row]:
        for number, line in enumerate(rows(), 1):
            if wrong := wrong_value(line):
                raise ResultError(f"{folder / name}.jsonl.gz:{number}: {wrong}; run the suite again")
            with located(folder / f"{name}.jsonl.gz", number):
                if name == "samples":
                    record(Sample, line, id=line["sample_id"])
                else:
                    record(System, line)
                    record(Generation, line)
            yield flat(line)

    return lines


def _rows(path: Path) -> Iterator[Row]:
    from harness.results.rows import RowFile

    with RowFile(path) as file:
        for batch in file.batches():
            yield from map(flat, batch.to_pylist())
