"""What was asked, sample by sample: ids, sums and the columns that divide samples; of their texts none is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness.results import Result, TaskFacts, json_lines, told
from harness.results.document import refuse_damaged
from harness.results.lengths import thirds
from harness.types import System

if TYPE_CHECKING:
    from harness.results.rows import RowFile

FILES = ("samples.jsonl.gz", "generations.jsonl.gz", "rows.parquet")
LENGTH = "length of input"
FEWEST, MOST = 2, 12  # values that a column has which divides samples into slices
LONGEST_VALUE = 60  # characters: more is text, and no name of a kind

Values = Mapping[System, NDArray[np.float64]]  # the primary metric of each sample; NaN where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """One way to divide a task's samples."""

    name: str  # a column, or LENGTH
    labels: tuple[str, ...]
    of: NDArray[np.int8]  # [n] a place in labels; -1: in none


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A score beside the primary one, of each sample alone."""

    name: str
    unit: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One task's samples in the order in which they were asked."""

    task: TaskFacts
    ids: tuple[str, ...]
    texts: bool = True  # False: a copy that holds ids and numbers alone
    slicings: tuple[Slicing, ...] = ()
    clusters: NDArray[np.intp] | None = None  # [n] samples with the same number are resampled together
    metric: metrics.Metric | None = None  # None: the primary metric is no function of sums
    column: int = 0  # of the metric's scores, the primary one
    rows: Mapping[System, NDArray[np.float64]]  # [n, k] sums; NaN where a sample has none
    others: tuple[Other, ...] = ()  # in the metrics' order

    @cached_property
    def values(self) -> Values:
        """Each sample's score alone."""
        if self.metric is None or self.metric.value is None:
            return {}
        value = self.metric.value
        return {system: value(rows)[:, self.column] for system, rows in self.rows.items()}


def asked(result: Result) -> dict[str, Asked]:
    """Return each task's samples; none for a RESULT that is a result.json alone.

    Raises ResultError where a file that the RESULT names is missing or changed.
    """
    from harness.results.rows import open_rows

    refuse_damaged(result.folder, result.files)
    if not all((result.folder / name).is_file() for name in FILES):
        return {}
    listed = {task.name: _Listed(task.cluster) for task in result.suite.tasks}
    path = result.folder / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with told(path, number):
            if line["task"] in listed:
                listed[line["task"]].add(line["sample_id"], line["input"], line.get("metadata") or {})
    with open_rows(result.folder) as rows:
        return {task.name: _asked(task, listed[task.name], rows) for task in result.suite.tasks}


class _Listed:
    """What is noted of each sample while their texts go by."""

    def __init__(self, cluster: str | None) -> None:
        self.ids: list[str] = []
        self.words: list[int] = []
        self.columns: dict[str, list[int]] = {}  # of each sample, a place among the column's values
        self.values: dict[str, dict[str, int]] = {}
        self.cluster = cluster
        self.clusters: dict[str, int] = {}
        self.cluster_of: list[int] = []

    def add(self, one: str, text: str, metadata: Mapping[str, str]) -> None:
        place = len(self.ids)
        self.ids.append(one)
        self.words.append(len(text.split()))
        if self.cluster is not None:
            label = metadata.get(self.cluster, f"\0{one}")  # a sample that names none stands alone
            self.cluster_of.append(self.clusters.setdefault(label, len(self.clusters)))
        for name, value in metadata.items():
            known = self.values.setdefault(name, {})
            if len(known) > MOST:
                continue  # too many values already: no slices
            column = self.columns.setdefault(name, [])
            column.extend([-1] * (place - len(column)))
            column.append(known.setdefault(value, len(known)))

    def slicings(self) -> Iterable[Slicing]:
        """Columns of few short values, and thirds by the input's length."""
        for name, known in self.values.items():
            if FEWEST <= len(known) <= MOST and all(0 < len(value) <= LONGEST_VALUE for value in known):
                order = sorted(known)
                turned = np.array([*(order.index(value) for value in known), -1], dtype=np.int8)
                column = self.columns[name] + [-1] * (len(self.ids) - len(self.columns[name]))
                yield Slicing(name=name, labels=tuple(order), of=turned[column])
        lengths = thirds(np.array(self.words))
        if lengths is not None:
            labels, places = lengths
            yield Slicing(name=LENGTH, labels=labels, of=places)


def _asked(task: TaskFacts, listed: _Listed, rows: "RowFile") -> Asked:
    plugin = next((one for one in task.metrics if task.primary in metrics.score_names(one)), None)
    metric = metrics.own(plugin) if plugin else None
    usable = metric is not None and metric.value is not None

    def placed(used: str) -> dict[System, NDArray[np.float64]]:
        return {
            system: _placed(found.stats, found.ids, listed.ids)
            for name, system, plugin in rows.keys()  # noqa: SIM118  a file, and not a mapping
            if (name, plugin) == (task.name, used)
            if (found := rows.get((name, system, used))) is not None
        }

    mine = placed(plugin) if plugin and usable else {}
    return Asked(
        task=task,
        ids=tuple(listed.ids),
        texts=any(listed.words),
        slicings=tuple(listed.slicings()),
        clusters=np.array(listed.cluster_of) if task.cluster is not None else None,
        metric=metric if usable else None,
        column=metric.names.index(task.primary) if metric is not None and usable else 0,
        rows=mine,
        others=tuple(
            other
            for used in task.metrics
            for other in _others(task, used, mine if used == plugin else placed(used))
        ),
    )


def _others(task: TaskFacts, used: str, rows: Mapping[System, NDArray[np.float64]]) -> Iterable[Other]:
    """The scores that a metric gives each sample, the primary one left out."""
    metric = metrics.own(used) if rows else None
    if metric is None or metric.value is None:
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = {system: metric.value(sums) for system, sums in rows.items()}
    for column, name in enumerate(metric.names):
        if name != task.primary:
            yield Other(
                name=name, unit=metric.unit, values={one: each[:, column] for one, each in scores.items()}
            )


def _placed(
    stats: NDArray[np.float64], of: tuple[str, ...], ids: list[str]
) -> NDArray[np.float64]:  # [len(ids), k]
    """The rows in the order of the ids; NaN for one that has none."""
    if list(of) == ids:  # as the harness writes them
        return stats
    places = {one: row for row, one in enumerate(of)}
    placed = np.full((len(ids), stats.shape[1]), np.nan)
    for row, one in enumerate(ids):
        if one in places:
            placed[row] = stats[places[one]]
    return placed
