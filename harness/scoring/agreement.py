"""Check whether rows give a score; if not, one of the two was changed, or belongs to another metric."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric
from harness.types import Score

EXACT = 1e-6  # largest difference, in points, of a score and the value of its rows; JSON and parquet lose far less


def values_of(
    metric: Metric,
    ids: Sequence[str],
    rows: NDArray[np.float64],  # [n, k]
) -> NDArray[np.float64]:  # under each of the metric's names
    """Return the scores of these rows; ValueError if they are not sound rows of this metric, one for each sample."""
    assert metric.formula is not None
    if not ids:
        raise ValueError("no samples")
    if len(set(ids)) < len(ids):
        raise ValueError("a sample is there twice")
    if not np.isfinite(rows).all():
        raise ValueError("a row holds a number that is not finite")
    try:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.asarray(stats.whole(rows, metric.formula))
    except (IndexError, ValueError):  # rows of another metric
        values = np.empty(0)
    if values.shape != (len(metric.names),):
        raise ValueError(f"rows of {rows.shape[1]} numbers, which are not this metric's")
    if not np.isfinite(values).all():
        raise ValueError("its score is not finite")
    return values


def agrees(score: Score, value: float, n: int) -> bool:
    """Return whether a score is the value that n rows give."""
    return score.n == n and abs(score.value - value) <= EXACT
