"""The expensive operations: a Gram matrix, its eigenvalues, and singular values where those do not suffice, in float64.

Large matrices go to torch, whose library reduces a symmetric matrix in two stages: 2,048 eigenvalues took 261 ms where
numpy took 410 and scipy 371 (two cores of a Xeon); 4,096 took half as long as theirs. Small matrices are not worth the
import of torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

LARGE = 256  # of the smaller side
STRIPE = 512  # rows of a Gram matrix at once, up to its diagonal: half of it need not be computed

Floats = NDArray[np.float64]


def add_gram(
    total: Floats,  # [n, n]
    block: Floats,  # [rows, n]
) -> None:
    """Add blockᵀ · block, at least to the triangle under the diagonal; the other triangle is not read."""
    n = block.shape[1]
    if n < LARGE:
        total += block.T @ block
        return
    rows, sums = _torch().from_numpy(block), _torch().from_numpy(total)
    for start in range(0, n, STRIPE):
        end = min(start + STRIPE, n)
        sums[start:end, :end].addmm_(rows[:, start:end].T, rows[:, :end])


def symmetric_eigenvalues(
    total: Floats,  # [n, n], the triangle above the diagonal as it may be
) -> Floats:  # [n], ascending
    """Return the eigenvalues of a symmetric matrix; LinAlgError where they do not converge."""
    if len(total) < LARGE:
        return np.asarray(np.linalg.eigvalsh(total), np.float64)
    try:
        found: Floats = _torch().linalg.eigvalsh(_torch().from_numpy(total)).numpy()
    except RuntimeError as error:  # its LinAlgError is one
        raise np.linalg.LinAlgError(str(error)) from error
    return found


def singular_values(W: Floats) -> Floats:  # falling
    """Return the singular values, in falling order."""
    if min(W.shape) < LARGE:
        return np.asarray(np.linalg.svd(W, compute_uv=False), np.float64)
    found: Floats = _torch().linalg.svdvals(_torch().from_numpy(np.ascontiguousarray(W))).numpy()
    return found


@dataclass(slots=True)
class Limit:
    """A limit of one thread of the linear algebra libraries for each thread that computes."""

    before: int | None = None  # torch's threads, once it has been asked

    def enter(self) -> None:
        """Apply the limit to the thread that calls this."""
        _here.limit = self


_here = local()


def _torch() -> Any:
    """Return torch, imported when first needed: cached results do not need it."""
    import torch

    limit: Limit | None = getattr(_here, "limit", None)
    if limit is not None and torch.get_num_threads() > 1:
        limit.before = torch.get_num_threads()
        torch.set_num_threads(1)
    return torch


@contextmanager
def one_thread() -> Iterator[Limit]:
    """Let every thread that enters the limit compute with one thread for as long as the block runs."""
    limit = Limit()
    with threadpool_limits(1, "blas"):
        try:
            yield limit
        finally:
            if limit.before is not None:
                _torch().set_num_threads(limit.before)
