"""The samples of each task: ids, rows of sums and the columns that divide them into slices, without their texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness import text as words
from harness.results import Result, TaskFacts, json_lines, located
from harness.results.document import refuse_damaged
from harness.results.lengths import thirds
from harness.types import System

if TYPE_CHECKING:
    from harness.results.rows import RowFile

FILES = ("samples.jsonl.gz", "generations.jsonl.gz", "rows.parquet")
LENGTH = "length of input"
FEWEST, MOST = 2, 12  # values of a column that divides samples into slices
LONGEST_VALUE = 60  # characters: a longer value is a text and not a category

# A number of each sample, by system; NaN for a sample without one.
Values = Mapping[System, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """One way to divide a task's samples into slices."""

    name: str  # a column, or LENGTH
    labels: tuple[str, ...]
    of: NDArray[np.int8]  # [n] index into labels; -1: in no slice


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryValues:
    """A score other than the primary one, for each sample, or a number in its place."""

    name: str
    unit: str
    better: Literal["higher", "lower"]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNumber:
    """What pages show of single samples: the primary score, or a number in its place."""

    name: str  # for people
    unit: str
    better: Literal["higher", "lower"]
    instead: str = ""  # if it is not the primary score: a sentence that says so

    @property
    def digits(self) -> int:
        """Return the number of decimals."""
        return digits(self.unit)


def digits(unit: str) -> int:
    """Return the number of decimals of a single sample's number."""
    return 0 if unit in ("points", "%") else 3


@dataclass(frozen=True, kw_only=True)
class TaskSamples:
    """One task's samples in the order of the test set."""

    task: TaskFacts
    ids: tuple[str, ...]
    texts: bool = True  # False: a copy with ids and numbers only
    slicings: tuple[Slicing, ...] = ()
    clusters: NDArray[np.intp] | None = None  # [n] samples with the same number are resampled together
    metric: metrics.Metric | None = None  # of the primary score; None: it has no rows, or may not be run
    column: int = 0  # index of the primary score among the metric's scores
    rows: Mapping[System, NDArray[np.float64]]  # [n, k]; NaN for a sample without a row
    others: tuple[SecondaryValues, ...] = ()  # in the metrics' order

    @cached_property
    def values(self) -> Values:
        """Return what is shown of each sample, by system: its primary score, or the number in its place."""
        if self.metric is None or not _has_numbers(self.metric):
            return {}
        return {system: of_samples(self.metric, self.column, rows) for system, rows in self.rows.items()}

    @cached_property
    def shown(self) -> ShownNumber:
        """Return what the numbers in `values` are."""
        name = words.metric(self.task.primary)
        if self.metric is None or not _has_numbers(self.metric):
            return ShownNumber(
                name=name, unit="points", better="higher", instead=f"{name} has no value for a single sample."
            )
        number = self.metric.of_sample
        if number is None:
            return ShownNumber(name=name, unit=self.metric.unit, better=self.metric.better)
        return ShownNumber(
            name=number.name,
            unit=number.unit,
            better=number.better,
            instead=f"{name} has no value for a single sample. Shown instead: {number.said}.",
        )


def of_samples(
    metric: metrics.Metric,
    column: int,  # index of the score
    rows: NDArray[np.float64],  # [n, k]
) -> NDArray[np.float64]:  # [n]
    """Return the number of each sample: its score, or what the metric shows in its place; NaN if it has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric.of_sample is not None:
            return np.where(np.isnan(rows).any(axis=1), np.nan, metric.of_sample.of(rows))
        assert metric.value is not None
        found: NDArray[np.float64] = metric.value(rows)[:, column]
        return found


def _has_numbers(metric: metrics.Metric) -> bool:
    """Return whether a single sample has a score, or a number in its place."""
    return metric.of_sample is not None or metric.value is not None


def task_samples(result: Result) -> dict[str, TaskSamples]:
    """Return each task's samples; empty if the RESULT consists of result.json only.

    Raises ResultError if a file that the RESULT names is missing or changed.
    """
    from harness.results.rows import open_rows

    refuse_damaged(result.folder, result.files)
    if not all((result.folder / name).is_file() for name in FILES):
        return {}
    listed = {task.name: _Listed(task.cluster) for task in result.suite.tasks}
    path = result.folder / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with located(path, number):
            if line["task"] in listed:
                listed[line["task"]].add(line["sample_id"], line["input"], line.get("metadata") or {})
    with open_rows(result.folder) as rows:
        return {task.name: _of_task(task, listed[task.name], rows) for task in result.suite.tasks}


class _Listed:
    """What is recorded of each sample while the file of samples is read."""

    def __init__(self, cluster: str | None) -> None:
        self.ids: list[str] = []
        self.words: list[int] = []
        self.columns: dict[str, list[int]] = {}  # per column, each sample's index into the column's values
        self.values: dict[str, dict[str, int]] = {}
        self.cluster = cluster
        self.clusters: dict[str, int] = {}
        self.cluster_of: list[int] = []

    def add(self, sample_id: str, text: str, metadata: Mapping[str, str]) -> None:
        place = len(self.ids)
        self.ids.append(sample_id)
        self.words.append(len(text.split()))
        if self.cluster is not None:
            # A sample without a cluster is a cluster of its own.
            label = metadata.get(self.cluster, f"\0{sample_id}")
            self.cluster_of.append(self.clusters.setdefault(label, len(self.clusters)))
        for name, value in metadata.items():
            known = self.values.setdefault(name, {})
            if len(known) > MOST:
                continue  # too many values already: no slices
            column = self.columns.setdefault(name, [])
            column.extend([-1] * (place - len(column)))
            column.append(known.setdefault(value, len(known)))

    def slicings(self) -> Iterable[Slicing]:
        """Yield a slicing for each column of few short values, and one by thirds of the input's length."""
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


def _of_task(task: TaskFacts, listed: _Listed, rows: "RowFile") -> TaskSamples:
    plugin = next((name for name in task.metrics if task.primary in metrics.score_names(name)), None)
    metric = metrics.own(plugin) if plugin else None
    usable = metric is not None and metric.formula is not None

    def placed(used: str) -> dict[System, NDArray[np.float64]]:
        return {
            system: _placed(found.stats, found.ids, listed.ids)
            for name, system, plugin in rows.keys()  # noqa: SIM118  a file, not a mapping
            if (name, plugin) == (task.name, used)
            if (found := rows.get((name, system, used))) is not None
        }

    mine = placed(plugin) if plugin and usable else {}
    others = (
        other
        for used in task.metrics
        for other in _others(task, used, mine if used == plugin else placed(used))
    )
    primary = metric.of_sample.name if metric is not None and metric.of_sample is not None else None
    return TaskSamples(
        task=task,
        ids=tuple(listed.ids),
        texts=any(listed.words),
        slicings=tuple(listed.slicings()),
        clusters=np.array(listed.cluster_of) if task.cluster is not None else None,
        metric=metric if usable else None,
        column=metric.names.index(task.primary) if metric is not None and usable else 0,
        rows=mine,
        # Two metrics over classes show the same of a sample.
        others=tuple({other.name: other for other in others if other.name != primary}.values()),
    )


def _others(
    task: TaskFacts, used: str, rows: Mapping[System, NDArray[np.float64]]
) -> Iterable[SecondaryValues]:
    """Yield what is shown of each sample under a metric, except the primary score."""
    metric = metrics.own(used) if rows else None
    if metric is None or not _has_numbers(metric):
        return
    number = metric.of_sample
    for column, name in enumerate(metric.names if number is None else (number.name,)):
        if name != task.primary:
            yield SecondaryValues(
                name=name,
                unit=metric.unit if number is None else number.unit,
                better=metric.better if number is None else number.better,
                values={system: of_samples(metric, column, own) for system, own in rows.items()},
            )


def _placed(
    stats: NDArray[np.float64], of: tuple[str, ...], ids: list[str]
) -> NDArray[np.float64]:  # [len(ids), k]
    """Return the rows in the order of `ids`; NaN for an id without a row."""
    if list(of) == ids:  # the harness itself writes them in this order
        return stats
    places = {sample_id: row for row, sample_id in enumerate(of)}
    placed = np.full((len(ids), stats.shape[1]), np.nan)
    for row, sample_id in enumerate(ids):
        if sample_id in places:
            placed[row] = stats[places[sample_id]]
    return placed
