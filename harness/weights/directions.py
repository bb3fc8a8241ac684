"""The directions of an update against those of the matrix that it changes: what norms do not say."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

LEADING = 10  # singular vectors of W + ΔW that are compared
FOREIGN = 0.6  # cosine to every one of W's under which a vector is an intruder
# Relative distance of two singular values under which their vectors are arbitrary: any two of a plane would do.
ALIKE = 1e-6

Floats = NDArray[np.float64]


def directions(
    W: NDArray[np.floating],  # [out, in]
    merged: Floats,  # [out, in], W + ΔW
    delta: Floats,  # [out, r], ΔW's left singular vectors that are not of zero
) -> Mapping[str, float]:
    """Return the intruder dimensions, and how much of the update lies in W's leading directions.

    Intruders are leading left singular vectors of W + ΔW that no left singular vector of W resembles (Shuttleworth,
    Andreas, Torralba and Sharma 2024, arXiv 2410.21228, section 3). The overlap is ‖U_rᵀ ΔU‖² / r for W's r leading
    vectors (Hu et al. 2021, section 7.2): 0 … 1, and r / out for directions at random.
    """
    left, values, _ = np.linalg.svd(W.astype(np.float64), full_matrices=False)
    left = left[:, values > values[0] * max(W.shape) * np.finfo(np.float64).eps]
    new, leading, degenerate = _leading(merged)
    cosines = np.abs(left.T @ new).max(axis=0)
    r = delta.shape[1]
    return {
        "intruder_dimensions": float((cosines < FOREIGN).sum()),
        "intruder_cosine": float(cosines.min()),
        "leading_directions": float(leading),
        "degenerate_directions": float(degenerate),
        "overlap": float((np.linalg.norm(left[:, :r].T @ delta) ** 2) / r),
    }


def _leading(W: Floats) -> tuple[Floats, int, int]:
    """Return the leading left singular vectors [out, leading], their number, and the number whose direction is arbitrary."""
    left, values, _ = np.linalg.svd(W, full_matrices=False)
    count = min(LEADING, int((values > values[0] * max(W.shape) * np.finfo(np.float64).eps).sum()))
    gaps = np.append(values[:-1] - values[1:], np.inf)[: count + 1] / values[0]
    close = (gaps[:count] < ALIKE) | np.concatenate([[False], gaps[: count - 1] < ALIKE])
    return left[:, :count], count, int(close.sum())
