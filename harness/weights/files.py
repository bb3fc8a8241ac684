"""Rows as a file for other programs: a line for each matrix, a column for each number that any matrix has."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError
from harness.files.json_lines import refuse_other_kind
from harness.files.spreadsheet import cell
from harness.types import WeightRow

SHAPE = ("model", "adapter", "part", "layer", "role", "status", "quantised", "rows", "cols", "eigenvalues")


ENDINGS = {
    "--html": ((".html", ".htm"), "page in HTML"),
    "--markdown": ((".md", ".markdown"), "page in Markdown"),
    "--csv": ((".csv",), "CSV file"),
    "--parquet": ((".parquet",), "Parquet file"),
}


def check_writable(path: Path, option: str) -> None:
    """Raise HarnessError where no file can be written, before minutes of work and not after."""
    endings, what = ENDINGS[option]
    refuse_other_kind(path, endings, what, option)
    folder = path.absolute().parent
    if path.is_dir():
        raise HarnessError(f"{path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise HarnessError(f"{path}: there is no folder {folder}; make it, or name another")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise HarnessError(f"{path}: cannot be written; name another file, or change its permissions")


def columns(rows: Sequence[WeightRow]) -> list[str]:
    """Return the names of all numbers, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.numbers))


def write_csv(rows: Sequence[WeightRow], path: Path) -> None:
    """Write the rows as CSV; a number that a row lacks is left empty."""
    names = columns(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*SHAPE, *names])
        writer.writeheader()
        for row in rows:
            writer.writerow({name: cell(value) for name, value in _flat(row, names).items()})


def write_parquet(rows: Sequence[WeightRow], path: Path) -> None:
    """Write the rows as Parquet: the columns of the CSV file, and each matrix's histogram of eigenvalues as `density`."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    names = columns(rows)
    histogram = pa.struct([("low", pa.float64()), ("high", pa.float64()), ("counts", pa.list_(pa.int64()))])
    schema = pa.schema(
        [
            *(
                (name, pa.int64() if name in ("rows", "cols", "eigenvalues") else pa.string())
                for name in SHAPE
            ),
            *((name, pa.float64()) for name in names),
            ("density", histogram),
        ]
    )
    table = pa.Table.from_pylist(
        [{**_flat(row, names), "density": _density(row)} for row in rows], schema=schema
    )
    parquet.write_table(table, path, compression="zstd")


def _flat(row: WeightRow, names: Sequence[str]) -> Mapping[str, object]:
    shape = {name: getattr(row, name) for name in SHAPE}
    return {**shape, **{name: row.numbers.get(name) for name in names}}


def _density(row: WeightRow) -> Mapping[str, object] | None:
    found = row.density
    return None if found is None else {"low": found.low, "high": found.high, "counts": list(found.counts)}
