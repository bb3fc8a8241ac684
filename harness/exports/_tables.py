"""A RESULT as flat tables, a file each, in a folder that holds nothing else."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.errors import HarnessError, ResultError
from harness.files.json_lines import read_json, write_json
from harness.results import json_lines, read, read_document
from harness.results.document import refuse_damaged
from harness.results.values import wrong_value

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
    """Every table of a RESULT, small ones first."""

    def listed(key: str) -> Rows:
        return lambda: map(flat, document.get(key, ()))

    return {
        **{key: listed(key) for key in ("scores", "comparisons", "costs", "notes", "steps", "weights")},
        "curves": lambda: _points(document),
        "samples": lambda: map(flat, _lines(folder / "samples.jsonl.gz")),
        "generations": lambda: map(flat, _lines(folder / "generations.jsonl.gz")),
        "rows": lambda: _rows(folder / "rows.parquet"),
    }


def flat(record: Mapping[str, Any]) -> Row:
    """Return a row: systems as columns (`baseline.model`), other mappings as JSON, text that breaks no file."""
    row: Row = {}
    for key, value in record.items():
        if key in ("baseline", "candidate"):
            row |= {f"{key}.{name}": _plain(one) for name, one in value.items()}
        else:
            row[key] = _plain(value)
    return row


def _plain(value: Any) -> Any:
    match value:
        case str():  # half of a surrogate pair is no character that a file could hold
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return _plain(json.dumps(value, ensure_ascii=False))
        case list():
            return [_plain(one) for one in value]
    return value


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a file; raise ResultError where a table cannot hold a number or a name."""
    for number, one in enumerate(json_lines(path), 1):
        if wrong := wrong_value(one):
            raise ResultError(f"{path}:{number}: {wrong}; run the suite again")
        yield one


def _points(document: Mapping[str, Any]) -> Iterator[Row]:
    for curve in document.get("curves", ()):
        for point in curve["points"]:
            yield flat({"model": curve["model"], "adapter": curve["adapter"], **point})


def _rows(path: Path) -> Iterator[Row]:
    from pyarrow import parquet

    from harness.results.rows import RowFile

    with RowFile(path), parquet.ParquetFile(path) as file:  # the former refuses what its size belies
        for batch in file.iter_batches():
            yield from map(flat, batch.to_pylist())
