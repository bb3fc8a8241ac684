"""Read the tables of a RESULT, from which frames and exports are made.

Every list of records in result.json is a table, and so is each file beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from harness.results import json_lines
from harness.results.plain import record_fields
from harness.results.records import Result

Row = Mapping[str, Any]
Rows = Callable[[], Iterator[Row]]  # each call reads the table from its beginning


def _listed_record(hint: Any) -> Any:
    """Return the record type in a tuple of records; None for another type."""
    inside = get_args(hint)
    return inside[0] if get_origin(hint) is tuple and is_dataclass(inside[0]) else None


LISTS = {field.name: kind for field in record_fields(Result) if (kind := _listed_record(field.hint))}
LINES = ("samples", "generations")
ROWS = "rows"
NAMES = (*LISTS, *LINES, ROWS)


def tables(folder: Path, document: Mapping[str, Any]) -> dict[str, Rows]:
    """Return every table but the rows of sums, small ones first."""
    return {
        **{name: lambda name=name: listed(name, document) for name in LISTS},  # type: ignore[misc]
        **{name: lambda name=name: json_lines(folder / f"{name}.jsonl.gz") for name in LINES},  # type: ignore[misc]
    }


def listed(name: str, document: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of a list in result.json.

    A record in a record becomes columns such as `baseline.model`; one with a list of records, as the points of a curve,
    becomes a row for each of them.
    """
    kind = LISTS[name]
    nested = {field.name for field in record_fields(kind) if is_dataclass(field.hint)}
    series = next((field.name for field in record_fields(kind) if _listed_record(field.hint)), None)
    for record in document.get(name, ()):
        row: dict[str, Any] = {}
        for key, value in record.items():
            row |= (
                {f"{key}.{inner}": held for inner, held in value.items()} if key in nested else {key: value}
            )
        if series is None:
            yield row
        else:
            yield from ({**row, **item} for item in row.pop(series))
