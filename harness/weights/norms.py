"""The numbers that follow from singular values alone, under WeightWatcher's names."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.adapter import Factors


def norms(
    singular_values: NDArray[np.float64],  # any order, not all zero
) -> Mapping[str, float]:
    """Return the norms as WeightWatcher 0.7.7 defines them.

    λ = σ², `norm` is the squared Frobenius norm, `spectral_norm` is λ_max.
    """
    eigenvalues = singular_values**2
    norm, largest = float(eigenvalues.sum()), float(eigenvalues.max())
    return {
        "lambda_max": largest,
        "spectral_norm": largest,
        "log_spectral_norm": float(np.log10(largest)),
        "norm": norm,
        "log_norm": float(np.log10(norm)),
        "stable_rank": norm / largest,
    }


def effective_rank(
    singular_values: NDArray[np.float64],  # not all zero
) -> float:  # 1 … number of values that are not zero
    """Return the exponential of the entropy of σ / Σσ (Roy and Vetterli 2007)."""
    share = singular_values[singular_values > 0] / singular_values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def low_rank_singular_values(
    factors: Factors,
) -> NDArray[np.float64]:  # [r], descending
    """Return the r largest singular values of ΔW, by QR of B and Aᵀ and an r×r SVD; ΔW is never formed."""
    B: NDArray[np.float64] = np.asarray(np.linalg.qr(factors.B.astype(np.float64), mode="r"))
    A: NDArray[np.float64] = np.asarray(np.linalg.qr(factors.A.T.astype(np.float64), mode="r"))
    return np.asarray(abs(factors.scale) * np.linalg.svd(B @ A.T, compute_uv=False), np.float64)


def left_directions(
    factors: Factors,
    smallest: float = 1e-6,  # of the largest singular value
) -> NDArray[np.float64]:  # [out, r or fewer]
    """Return ΔW's left singular vectors, without those whose singular value is zero."""
    left, into = (factors.A.T, factors.B) if factors.transposed else (factors.B, factors.A.T)
    B, right = np.linalg.qr(left.astype(np.float64))
    A: NDArray[np.float64] = np.asarray(np.linalg.qr(into.astype(np.float64), mode="r"))
    vectors, values, _ = np.linalg.svd(right @ A.T)
    return np.asarray(B @ vectors[:, : len(values)][:, values > smallest * values.max()])
