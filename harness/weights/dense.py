"""The two products that cost: a Gram matrix and its eigenvalues, in float64.

Large ones go to torch, whose library reduces a symmetric matrix in two stages: eigenvalues of 2,048 took 261 ms where
numpy's took 410 and scipy's 371 (two cores of a Xeon), those of 4,096 half of theirs. Small ones are not worth importing it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

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
    """Adds blockᵀ · block, at least to the triangle under the diagonal: nobody looks at the other."""
    n = block.shape[1]
    if n < LARGE:
        total += block.T @ block
        return
    import torch

    rows, sums = torch.from_numpy(block), torch.from_numpy(total)
    for start in range(0, n, STRIPE):
        end = min(start + STRIPE, n)
        sums[start:end, :end].addmm_(rows[:, start:end].T, rows[:, :end])


def symmetric_eigenvalues(
    total: Floats,  # [n, n], the triangle above the diagonal as it may be
) -> Floats:  # [n], ascending
    """LinAlgError where they do not converge."""
    if len(total) < LARGE:
        return np.asarray(np.linalg.eigvalsh(total), np.float64)
    import torch

    try:
        found: Floats = torch.linalg.eigvalsh(torch.from_numpy(total)).numpy()
    except RuntimeError as error:  # its LinAlgError is one
        raise np.linalg.LinAlgError(str(error)) from error
    return found


@contextmanager
def one_thread(*, large: bool) -> Iterator[None]:
    """Whatever computes in the block, in any thread, does so with one; `large` where torch will be asked."""
    with threadpool_limits(1, "blas"):
        if not large:
            yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)
