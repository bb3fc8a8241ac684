"""Write and read the files of a score step: scores, and a row of sums for each sample and metric."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.types import Score

SCORES = "scores.json"
IDS = "ids.json"
CLUSTERS = "clusters.json"
ROWS = "rows.npz"


def write_scores(folder: Path, scores: Sequence[Score]) -> None:
    """Write the scores of one system on one task."""
    write_json(folder / SCORES, [to_json(score) for score in scores])


def read_scores(folder: Path) -> tuple[Score, ...]:
    """Return the scores that were written."""
    return tuple(from_json(Score, score) for score in read_json(folder / SCORES))


def write_rows(
    folder: Path,
    ids: Sequence[str],
    clusters: Sequence[int] | None,  # a number for each sample, equal for those that are resampled together
    rows: Mapping[str, NDArray[np.float64]],  # metric -> [n, k]
) -> None:
    """Write the rows of one system on one task; a metric with `corpus` has none."""
    write_json(folder / IDS, ids)
    write_json(folder / CLUSTERS, clusters)
    np.savez(folder / ROWS, **rows)  # type: ignore[arg-type]


def read_ids(folder: Path) -> tuple[str, ...]:
    """Return the ids of the samples, in the rows' order."""
    return tuple(read_json(folder / IDS))


def read_clusters(folder: Path) -> list[int] | None:
    """Return a number for each sample, equal for those resampled together; None if each is resampled by itself."""
    clusters: list[int] | None = read_json(folder / CLUSTERS)
    return clusters


def tables(folder: Path) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield each metric with its rows [n, k]."""
    with np.load(folder / ROWS, allow_pickle=False) as stored:
        for metric in stored.files:
            yield metric, stored[metric]


def read_table(folder: Path, metric: str) -> NDArray[np.float64]:
    """Return the rows of one metric, [n, k]."""
    with np.load(folder / ROWS, allow_pickle=False) as stored:
        table: NDArray[np.float64] = stored[metric]
        return table
