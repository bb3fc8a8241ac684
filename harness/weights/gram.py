"""Eigenvalues of WᵀW, and of a matrix with a low-rank update, by float64 Gram matrices that are summed block by block.

The update's part is added to W's own Gram matrix as matrices of rank r: W + ΔW is never formed.
"""

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.adapter import Factors
from harness.weights.dense import add_gram, symmetric_eigenvalues

BLOCK = 1024  # rows or columns in float64 at once
# Smallest over largest eigenvalue under which a Gram matrix, which squares the condition, has lost its smallest ones.
ILL = 1e-12

Floats = NDArray[np.float64]
Matrix = NDArray[np.floating]


def gram(
    W: Matrix,  # [rows, cols]
) -> Floats:  # [n, n], n = min(rows, cols)
    """Return WᵀW or WWᵀ, the smaller; only the triangle under the diagonal is filled in."""
    tall = W if W.shape[0] >= W.shape[1] else W.T
    total = np.zeros((tall.shape[1], tall.shape[1]))
    for start in range(0, len(tall), BLOCK):
        add_gram(total, np.ascontiguousarray(tall[start : start + BLOCK], np.float64))
    return total


def add_update(total: Floats, W: Matrix, factors: Factors) -> None:
    """Turn W's Gram matrix into that of W + ΔW."""
    B, A = factors.scale * factors.B.astype(np.float64), factors.A.astype(np.float64)
    if factors.transposed:
        A, B = B.T, A.T
    if W.shape[0] >= W.shape[1]:  # (W + BA)ᵀ(W + BA) = WᵀW + (WᵀB)A + Aᵀ(BᵀW) + Aᵀ(BᵀB)A
        crossed = (_times(W.T, B) + A.T @ (B.T @ B) / 2) @ A
    else:  # (W + BA)(W + BA)ᵀ = WWᵀ + (WAᵀ)Bᵀ + B(AWᵀ) + B(AAᵀ)Bᵀ
        crossed = (_times(W, A.T) + B @ (A @ A.T) / 2) @ B.T
    total += crossed
    total += crossed.T


def eigenvalues(total: Floats) -> Floats | None:  # [n], ascending, none negative
    """Return the eigenvalues of a Gram matrix; None where rounding has lost the smallest.

    Raises LinAlgError where they do not converge.
    """
    found = symmetric_eigenvalues(total)
    return np.maximum(found, 0.0) if found[0] >= ILL * found[-1] else None


def _times(W: Matrix, narrow: Floats) -> Floats:
    """Return W · narrow, with W converted to float64 some rows at a time."""
    parts = [W[start : start + BLOCK].astype(np.float64) @ narrow for start in range(0, len(W), BLOCK)]
    return np.concatenate(parts)
