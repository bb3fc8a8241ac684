"""Parquet tables, written in chunks of rows; lists stay lists."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import ResultError
from harness.exports import Place
from harness.report import flat_tables
from harness.report.flat_tables import Row, Rows

PLACE: Place = "folder"
PAGES = False
AT_ONCE = 1 << 14  # rows


def export(folder: Path, place: str) -> str:
    """Write the tables of a RESULT to a folder as Parquet; return a line that says where."""
    return flat_tables.export(folder, Path(place), ".parquet", _write)


def _write(rows: Rows, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        parts = (_inferred(chunk) for chunk in _chunks(rows))
        schema = pa.unify_schemas(list(parts), promote_options="permissive")
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for chunk in _chunks(rows):
                writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
    except pa.ArrowException as error:  # a stranger's column, whose values are of several types
        path.unlink(missing_ok=True)
        reason = str(error).partition("\n")[0]
        raise ResultError(f"{path.name.strip('.')}: its rows fit no table: {reason}") from error


def _inferred(chunk: list[Row]) -> Any:
    """Return the schema of a chunk of rows; rows may differ in their columns."""
    import pyarrow as pa

    names = dict.fromkeys(name for row in chunk for name in row)
    return pa.table({name: [row.get(name) for row in chunk] for name in names}).schema


def _chunks(rows: Rows) -> Iterator[list[Row]]:
    found = rows()
    while chunk := list(islice(found, AT_ONCE)):
        yield chunk
