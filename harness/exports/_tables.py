"""A RESULT as flat tables, a file each, in a folder that holds nothing else."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.errors import HarnessError, ResultError
from harness.files.json_lines import read_json, write_json
from harness.results import read, read_document, told
from harness.results import tables as results
from harness.results.document import refuse_damaged
from harness.results.plain import record
from harness.results.values import wrong_value
from harness.types import Generation, Sample, System

Row = dict[str, Any]
Rows = Callable[[], Iterator[Row]]  # goes through a table anew each time
MARK = "export.json"  # lies in a folder whose tables may be written over


def export(folder: Path, out: Path, ending: str, write: Callable[[Rows, Path], None]) -> str:
    """Each table that has rows, written under its name by `write`; says what is there."""
    refuse_damaged(folder, read(folder).files)  # and its records are what the tables take them for
    document = read_document(folder)
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise HarnessError(f"-o {out}: the folder holds other things; name an empty or a new one")
    out.mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for name, rows in tables(folder, document).items():
        path, beside = out / f"{name}{ending}", out / f".{name}{ending}"
        if next(rows(), None) is None:
            path.unlink(missing_ok=True)  # of an earlier export
            continue
        beside.unlink(missing_ok=True)  # a link there would be followed
        write(rows, beside)
        beside.replace(path)
        written.append(path.name)
    marks = read_json(out / MARK) if (out / MARK).is_file() else {}
    write_json(
        out / MARK, {**marks, ending: {"suite": document["suite"]["name"], "result": digest(document)}}
    )
    return f"{out}: {', '.join(written)}"


def tables(folder: Path, document: Mapping[str, Any]) -> dict[str, Rows]:
    """Return every table of a RESULT as a file takes it, small ones first."""
    own = {name: _checked(folder, name, rows) for name, rows in results.tables(folder, document).items()}
    return {**own, results.ROWS: lambda: _rows(folder / "rows.parquet")}


def flat(record: Mapping[str, Any]) -> Row:
    """Return a row with mappings as JSON, and text as every file takes it."""
    return {key: _plain(value) for key, value in record.items()}


def _plain(value: Any) -> Any:
    match value:
        case str():  # half of a surrogate pair is no character that a file could hold
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return _plain(json.dumps(value, ensure_ascii=False))
        case list():
            return [_plain(one) for one in value]
    return value


def _checked(folder: Path, name: str, rows: results.Rows) -> Rows:
    """Return rows that are flat; ResultError where a line holds a number or a name that no table takes."""
    if name not in results.LINES:
        return lambda: map(flat, rows())

    def lines() -> Iterator[Row]:
        for number, line in enumerate(rows(), 1):
            if wrong := wrong_value(line):
                raise ResultError(f"{folder / name}.jsonl.gz:{number}: {wrong}; run the suite again")
            with told(folder / f"{name}.jsonl.gz", number):
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
