"""Read and write rows.parquet; the rows of a system are read when they are asked for."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from harness.errors import ResultError
from harness.files.regular import check_regular
from harness.types import System

Key = tuple[str, System, str]  # task, system, metric plug-in
Places = NDArray[np.intp]

# Rows that are written, and read, at once: as Python's lists they take many times their memory
ROWS = 1 << 14
# Limits of a row group; pyarrow's own groups have up to 2^20 rows. A few bytes may stand for any number of equal values.
MOST_ROWS, MOST_NUMBERS, MOST_BYTES = 1 << 20, 1 << 24, 1 << 30
TIMES = 20  # largest number of rows for each byte of the file; a row has an id and sums
MOST_SHOTS = (1 << 31) - 1  # what a column of 32 bits holds
WHOSE = ("task", "model", "adapter", "shots", "metric")
COLUMNS = (*WHOSE, "sample_id", "stats")
TEXTS = (pyarrow.string(), pyarrow.large_string())
COUNTS = (pyarrow.int32(), pyarrow.int64())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of sums of all samples, for one system under one metric."""

    ids: tuple[str, ...]
    stats: NDArray[np.float64]  # [n, k]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of the file; row i is numbers[starts[i] : starts[i + 1]]."""

    number: int
    ids: list[str]
    numbers: NDArray[np.float64]
    starts: NDArray[np.int32]


class RowFile:
    """An open rows.parquet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._located():
            check_regular(path)
            self._file = parquet.ParquetFile(path)
            _refuse_bombs(self._file.metadata, path.stat().st_size)
            _refuse_other_columns(self._file)
            self._places = _places(self._file)
        self._last: RowGroup | None = (
            None  # a group with the rows of several systems is asked for several times
        )
        self._ahead: dict[int, RowGroup] = {}

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keys(self) -> tuple[Key, ...]:
        """Return the task, system and metric of all rows."""
        return tuple(self._places)

    def read_ahead(self, keys: Iterable[Key]) -> None:
        """Read the rows of several keys at once, in a quarter of the time of one after the other."""
        numbers = sorted({number for key in keys for number, _ in self._places.get(key, ())})
        with self._located():
            table = self._file.read_row_groups(numbers, columns=["sample_id", "stats"], use_threads=False)
            start = 0
            for number in numbers:
                size = self._file.metadata.row_group(number).num_rows
                self._ahead[number] = _group(number, table.slice(start, size))
                start += size

    def get(self, key: Key) -> Rows | None:
        """Return the rows of a key; None if there are none."""
        if key not in self._places:
            return None
        ids: list[str] = []
        stats: list[NDArray[np.float64]] = []
        for number, places in self._places[key]:
            group = self._group(number)
            ids += [group.ids[place] for place in places]
            starts, lengths = group.starts[places], np.diff(group.starts)[places]
            if (lengths != (stats[0].shape[1] if stats else lengths[0])).any():
                task, system, metric = key
                raise ResultError(f"{self._path}: {task} / {system} / {metric}: rows of different lengths")
            stats.append(group.numbers[starts[:, None] + np.arange(lengths[0])])
        return Rows(ids=tuple(ids), stats=np.concatenate(stats))

    def table(self) -> Any:
        """Return everything as one table of pyarrow's."""
        with self._located():
            return self._file.read(columns=list(COLUMNS))

    def batches(self) -> Iterator[Any]:
        """Yield everything as tables of pyarrow's, one after the other."""
        with self._located():
            yield from self._file.iter_batches(columns=list(COLUMNS))

    def _group(self, number: int) -> RowGroup:
        if number in self._ahead:
            return self._ahead[number]
        if self._last is None or self._last.number != number:
            with self._located():
                table = self._file.read_row_group(number, columns=["sample_id", "stats"])
                self._last = _group(number, table)
        return self._last

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Turn any error of reading into a ResultError that names this file."""
        try:
            yield
        except (OSError, pyarrow.ArrowException, LookupError, TypeError, ValueError, OverflowError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise ResultError(
                f"{self._path}: cannot be read: {reason}; copy the RESULT again as a whole"
            ) from error


def open_rows(folder: Path) -> RowFile:
    """Open the rows of a RESULT folder."""
    return RowFile(folder / "rows.parquet")


def write_rows(path: Path, tables: Iterable[tuple[Key, Rows]]) -> None:
    """Write a row for each task, system, metric and sample, with the metric's sums; each key has row groups of its own."""
    text = pyarrow.string()
    kinds = {name: pyarrow.int32() if name == "shots" else text for name in WHOSE}
    schema = pyarrow.schema({**kinds, "sample_id": text, "stats": pyarrow.list_(pyarrow.float64())})
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for (task, system, metric), rows in tables:
            for start in range(0, len(rows.ids), ROWS):
                ids, sums = rows.ids[start : start + ROWS], rows.stats[start : start + ROWS]
                n = len(ids)
                columns = [
                    *(_texts([task] * n), _texts([system.model] * n)),
                    pyarrow.nulls(n, text) if system.adapter is None else _texts([system.adapter] * n),
                    pyarrow.Array.from_buffers(
                        pyarrow.int32(), n, [None, _bytes(np.full(n, system.shots, np.int32))]
                    ),
                    *(_texts([metric] * n), _texts(ids), _lists(sums)),
                ]
                writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))


# Arrays are converted by their buffers: pyarrow's own conversion from and to numpy or lists imports all of pandas.


def _texts(values: Sequence[str]) -> Any:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pyarrow.StringArray.from_buffers(len(encoded), _bytes(ends), pyarrow.py_buffer(b"".join(encoded)))


def _lists(
    rows: NDArray[np.float64],  # [n, k]
) -> Any:
    n, k = rows.shape
    starts = np.arange(0, (n + 1) * k, k, dtype=np.int32) if k else np.zeros(n + 1, dtype=np.int32)
    values = pyarrow.Array.from_buffers(pyarrow.float64(), n * k, [None, _bytes(rows)])
    kind = pyarrow.list_(pyarrow.float64())
    return pyarrow.Array.from_buffers(kind, n, [None, _bytes(starts)], children=[values])


def _bytes(array: NDArray[Any]) -> Any:
    return pyarrow.py_buffer(np.ascontiguousarray(array))


def _refuse_bombs(metadata: Any, size: int) -> None:
    """Raise ValueError for more rows than a file of its size can have, or a group too large to be read at once."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    rows = sum(group.num_rows for group in groups)
    if rows != metadata.num_rows or rows > max(MOST_ROWS, TIMES * size):
        raise ValueError(f"{metadata.num_rows:,} rows in {size:,} bytes; not the harness's")
    if (
        any(not 0 <= group.num_rows <= MOST_ROWS for group in groups)
        or any(not 0 <= column.num_values <= MOST_NUMBERS for column in columns)
        or any(column.total_uncompressed_size > MOST_BYTES for column in columns)
    ):
        raise ValueError(
            f"a group of more than {MOST_ROWS:,} rows or {MOST_NUMBERS:,} numbers; not the harness's"
        )


def _refuse_other_columns(file: Any) -> None:
    """Raise ValueError if a column whose bytes are read is missing, or is not of the type that is written here."""
    schema = file.schema_arrow
    kinds = dict.fromkeys(WHOSE, TEXTS) | {"adapter": (*TEXTS, pyarrow.null()), "shots": COUNTS}
    kinds |= {"sample_id": (pyarrow.string(),), "stats": (pyarrow.list_(pyarrow.float64()),)}
    for name, known in kinds.items():
        if schema.names.count(name) != 1 or schema.field(name).type not in known:
            raise ValueError(f"the column {name} is not there once, of type {known[0]}")


def _group(number: int, table: Any) -> RowGroup:
    lists = table.column("stats").combine_chunks()
    if table.column("sample_id").null_count or lists.null_count or lists.values.null_count:
        raise ValueError("a sample without an id or a number")
    return RowGroup(
        number,
        table.column("sample_id").to_pylist(),
        _buffer(lists.values, np.float64),
        _buffer(lists.offsets, np.int32),
    )


def _buffer(array: Any, kind: Any) -> NDArray[Any]:
    """Return a pyarrow array without nulls as a numpy array."""
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def _places(file: Any) -> dict[Key, list[tuple[int, Places]]]:
    """Return, for each key, the row groups with its rows, and their places in the group."""
    found: dict[Key, list[tuple[int, Places]]] = {}
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        key = _only_key(group)
        keys = _mixed(file, number) if key is None else [(key, np.arange(group.num_rows))]
        for each, places in keys:
            found.setdefault(each, []).append((number, places))
    return found


def _only_key(group: Any) -> Key | None:
    """Return the key that all rows of a group share, by the group's statistics; None if these do not say so."""
    columns = [group.column(number) for number in range(group.num_columns)]
    by_name = {column.path_in_schema: column.statistics for column in columns}
    values: list[Any] = []
    for statistics in (by_name[name] for name in WHOSE):
        if statistics is None or not statistics.has_null_count:
            return None
        if statistics.null_count not in (0, group.num_rows):
            return None
        if statistics.null_count == 0 and (not statistics.has_min_max or statistics.min != statistics.max):
            return None
        values.append(None if statistics.null_count else statistics.min)
    return _key(*values)


def _mixed(file: Any, number: int) -> Iterator[tuple[Key, Places]]:
    """Return the keys of a group with several, each with the places of its rows."""
    found: dict[Key, list[int]] = {}
    columns = file.read_row_group(number, columns=list(WHOSE)).to_pydict()
    for place, values in enumerate(zip(*(columns[name] for name in WHOSE), strict=True)):
        found.setdefault(_key(*values), []).append(place)
    return ((key, np.array(places)) for key, places in found.items())


def _key(task: object, model: object, adapter: object, shots: object, metric: object) -> Key:
    """Return whose rows those with such values are; ValueError where they name nobody."""
    if (
        not isinstance(task, str)
        or not isinstance(model, str)
        or not isinstance(adapter, str | None)
        or not isinstance(shots, int)
        or isinstance(shots, bool)
        or not 0 <= shots <= MOST_SHOTS
        or not isinstance(metric, str)
    ):
        raise ValueError(
            f"rows of task {task!r:.60}, model {model!r:.60}, adapter {adapter!r:.60}, {shots!r:.60} shots, "
            f"metric {metric!r:.60}"
        )
    return task, System(model=model, adapter=adapter, shots=shots), metric
