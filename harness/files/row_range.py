"""The rows of a file that a split takes: `data.json[:90%]`, `data.csv[100:-20]`, counted from 0 as Python counts.

A percentage p of n rows is the whole number n · p // 100, wherever it stands; -10% is 90%. So `[:90%]` and `[90%:]` neither
share a row nor lose one, and neither do `[:-10%]` and `[-10%:]`.
"""

import re
from dataclasses import dataclass

from harness.errors import DataError

_SLICED = re.compile(r"(?P<file>.*)\[(?P<rows>[^\[\]]*)\]", re.DOTALL)
# What stands behind the ending of a data file, where the name does not end in such an ending itself.
_BEHIND = re.compile(
    r".*\.(?:jsonl|json|csv|parquet)(?![\w.]).+(?<!\.jsonl)(?<!\.json)(?<!\.csv)(?<!\.parquet)", re.DOTALL
)
_BOUND = re.compile(r"(?P<number>-?\d{1,15})(?P<percent>%?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range: a row, counted from the end of the file where it is negative, or a share of the rows."""

    number: int
    percent: bool

    @property
    def needs_count(self) -> bool:
        """Return whether the row is only known once the rows are counted."""
        return self.percent or self.number < 0

    def of(self, rows: int) -> int:
        """Return the row, from 0 to the number of rows."""
        if self.percent:
            return rows * (self.number if self.number >= 0 else 100 + self.number) // 100
        return max(0, min(rows, self.number if self.number >= 0 else rows + self.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRange:
    """A range of a file's rows; None stands for the file's own end."""

    start: Bound | None = None
    stop: Bound | None = None

    @property
    def needs_count(self) -> bool:
        """Return whether the range is only known once the rows are counted."""
        return any(bound.needs_count for bound in (self.start, self.stop) if bound)

    def of(self, rows: int) -> range:
        """Return the rows of the range in a file of so many rows."""
        start = self.start.of(rows) if self.start else 0
        return range(start, max(start, self.stop.of(rows) if self.stop else rows))


WHOLE = RowRange()


def split_name(name: str, where: str = "") -> tuple[str, RowRange]:
    """Return a split's file and the rows that it takes; raise DataError for brackets with anything but a range in them."""
    sliced = _SLICED.fullmatch(name)
    if sliced is None:
        if _BEHIND.fullmatch(name):
            raise _wrong(name, where)
        return name, WHOLE
    parts = [part.strip() for part in sliced["rows"].split(":")]
    bounds = [_BOUND.fullmatch(part) for part in parts]
    if len(parts) != 2 or any(part and not bound for part, bound in zip(parts, bounds, strict=True)):
        raise _wrong(name, where)
    start, stop = (Bound(int(bound["number"]), bool(bound["percent"])) if bound else None for bound in bounds)
    if any(bound.percent and abs(bound.number) > 100 for bound in (start, stop) if bound):
        raise _wrong(name, where)
    return sliced["file"], RowRange(start=start, stop=stop)


def _wrong(name: str, where: str) -> DataError:
    place = f"{where}: " if where else ""
    return DataError(
        f"{place}found {name!r}; give the rows as [START:STOP] with whole numbers or whole percentages up to 100%, "
        "such as [:90%], [90%:] or [100:-20]"
    )
