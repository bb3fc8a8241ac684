"""One task's rows, as the score steps left them: a table for each metric, a column for each system."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.files.json_lines import read_json
from harness.metrics import load
from harness.run.steps import Bench
from harness.run.steps._questions import Cell
from harness.scoring.comparisons import Scored


def read(bench: Bench, positions: Sequence[int], cells: Sequence[Cell]) -> Scored:
    """The tables of the task's metrics; one that is no function of sums has none."""
    metrics, tables = [], []
    for name in cells[0].metrics:
        metric = load(name)
        if metric.value is None:
            continue
        rows = np.stack([_rows(bench, position, name) for position in positions], axis=1)
        metrics.append(metric)
        tables.append(stats.Table(rows=rows, value=metric.value, interval=metric.interval))
    return Scored(
        task=cells[0].task,
        systems=tuple(cell.system for cell in cells),
        metrics=tuple(metrics),
        tables=tuple(tables),
        clusters=read_json(bench.need(positions[0]) / "clusters.json"),
    )


def _rows(bench: Bench, position: int, metric: str) -> NDArray[np.float64]:
    with np.load(bench.need(position) / "rows.npz", allow_pickle=False) as rows:
        table: NDArray[np.float64] = rows[metric]
        return table
