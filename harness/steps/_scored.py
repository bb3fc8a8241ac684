"""One task's rows, as the score steps left them: a table for each metric, a column for each system."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric, load
from harness.records import read_json
from harness.steps import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The rows of one task's systems, a table for each metric that has rows."""

    positions: tuple[int, ...]  # of the cells whose systems the tables hold, in that order
    metrics: tuple[Metric, ...]
    tables: tuple[stats.Table, ...]
    clusters: list[int] | None

    @property
    def n(self) -> int:
        return len(self.tables[0].rows)

    @property
    def tells(self) -> bool:
        """One sample, or one cluster of them, cannot tell two systems apart."""
        return bool(self.tables) and len(set(self.clusters or range(self.n))) > 1

    def column(self, score: str) -> tuple[stats.Table, int] | None:
        """The table that gives this score, and the score's place among those that it gives."""
        for metric, table in zip(self.metrics, self.tables, strict=True):
            if score in metric.names:
                return table, metric.names.index(score)
        return None

    def places(self, pairs: list[stats.Pair]) -> list[stats.Pair]:
        """The pairs, by their systems' places in the tables."""
        place = {position: place for place, position in enumerate(self.positions)}
        return [(place[baseline], place[candidate]) for baseline, candidate in pairs]


def read(bench: Bench, positions: list[int], names: tuple[str, ...]) -> Scored:
    """The tables of the named metrics; one that is no function of sums has none."""
    metrics, tables = [], []
    for name in names:
        metric = load(name)
        if metric.value is None:
            continue
        rows = np.stack([_rows(bench, position, name) for position in positions], axis=1)
        metrics.append(metric)
        tables.append(stats.Table(rows=rows, value=metric.value, interval=metric.interval))
    return Scored(
        positions=tuple(positions),
        metrics=tuple(metrics),
        tables=tuple(tables),
        clusters=read_json(bench.need(positions[0]) / "clusters.json"),
    )


def _rows(bench: Bench, position: int, metric: str) -> NDArray[np.float64]:
    with np.load(bench.need(position) / "rows.npz", allow_pickle=False) as rows:
        table: NDArray[np.float64] = rows[metric]
        return table
