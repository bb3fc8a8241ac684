"""Comma-separated tables: lists as JSON, except a sample's sums, which get a column each.

Texts are as the models wrote them, except for a single quote before text that a spreadsheet would run as a formula; control
characters are shown by their code points.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.exports import Place
from harness.files.spreadsheet import cell
from harness.report import flat_tables
from harness.report.flat_tables import Row, Rows

PLACE: Place = "folder"
PAGES = False


def export(folder: Path, place: str) -> str:
    """Write the tables of a RESULT to a folder as CSV; return one line that says where."""
    return flat_tables.export(folder, Path(place), ".csv", _write)


def _write(rows: Rows, path: Path) -> None:
    columns = list(dict.fromkeys(name for row in _cells(rows) for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_cells(rows))


def _cells(rows: Rows) -> Iterator[Row]:
    for row in rows():
        sums = row.pop("stats", ())
        yield {name: _cell(value) for name, value in row.items()} | {
            f"sum_{place}": _cell(value) for place, value in enumerate(sums, 1)
        }


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0  # no minus zero
    return cell(json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value)
