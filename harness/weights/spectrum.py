"""WeightWatcher's numbers for one matrix, from the eigenvalues of WᵀW: ascending, as many as the smaller side has.

They are the package's numbers under its names, from the same estimators. One number differs: `detX_num` is a product of
eigenvalues that the package lets overflow, so that from some thousand on it counts too few or all of them; here their
logarithms are summed.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.types import Density
from harness.weights import power_law
from harness.weights.norms import norms
from harness.weights.power_law import PowerLaw

EPSILON = 1e-10  # the package's, in its entropy
FEWEST = 8  # eigenvalues that a power law is fitted to
DIFFERS = 0.1  # in alpha, from which on the alpha with a relative threshold is reported too
BINS = 48  # of a density

Floats = NDArray[np.float64]


def describe(
    values: Floats,  # [n], ascending, not all zero
    shape: tuple[int, int],
) -> Mapping[str, float]:
    """Return all numbers that need only the eigenvalues; without those of the fit (`alpha` …) where no power law fits."""
    longer = max(shape)
    fit = power_law.fit(values) if len(values) >= FEWEST else None
    rank = matrix_rank(values, longer)
    numbers = {
        "num_evals": float(len(values)),
        "Q": longer / min(shape),
        **norms(np.sqrt(values)),
        "sv_max": float(np.sqrt(values[-1])),
        "sv_min": float(np.sqrt(values[0])),
        "matrix_rank": float(rank),
        "rank_loss": float(len(values) - rank),
        "entropy": entropy(values, rank),
        "detX_num": float(det_x(values)),
    }
    if fit is not None:
        numbers |= of_the_fit(fit, values, numbers)
    other = scale_free_alpha(values, fit)
    if other is not None and (fit is None or abs(other - fit.alpha) > DIFFERS):
        numbers["scale_free_alpha"] = other
    return numbers


def density(values: Floats) -> Density:
    """Return a histogram of log10 λ, from the package's threshold on."""
    logs = np.log10(values[values > power_law.THRESHOLD])
    counts, edges = np.histogram(logs, BINS)
    return Density(low=float(edges[0]), high=float(edges[-1]), counts=tuple(counts.tolist()))


def of_the_fit(fit: PowerLaw, values: Floats, numbers: Mapping[str, float]) -> Mapping[str, float]:
    """Return the numbers that follow from a fitted power law."""
    largest = numbers["log_spectral_norm"]
    # Σ λ^alpha, relative to its largest term: the package's own sum overflows where alpha · log10 λ passes 308.
    relative = np.sum((values / values[-1]) ** fit.alpha)
    return {
        "alpha": fit.alpha,
        "D": fit.D,
        "sigma": fit.sigma,
        "xmin": fit.xmin,
        "num_pl_spikes": float(fit.spikes),
        "alpha_weighted": fit.alpha * largest,
        "log_alpha_norm": float(np.log10(relative) + fit.alpha * largest),
        "ERG_gap": numbers["detX_num"] - fit.spikes,
    }


def matrix_rank(values: Floats, longer: int) -> int:
    """Return the number of singular values above n · ε · the largest, where n is the longer side."""
    singular = np.sqrt(values)
    return int((singular > singular[-1] * longer * np.finfo(np.float64).eps).sum())


def entropy(values: Floats, rank: int) -> float:
    """Return the entropy of λ / Σλ over the logarithm of the rank: 0 … 1, 1 where all are equal."""
    share = values / values.sum() + EPSILON
    return float(-(share * np.log(share)).sum() / np.log(rank + EPSILON))


def det_x(values: Floats) -> int:
    """Return how many of the largest eigenvalues, scaled to a mean of 1, multiply to at most 1: WeightWatcher's ERG
    condition.

    The package gives 0 where all are equal.
    """
    if len(values) < 2 or not values[0] < values[-1]:
        return 0
    with np.errstate(divide="ignore"):
        logs = np.log(values * (len(values) / values.sum()))
    # Of the tails of 1, 2, … values; the smallest value stays out.
    below = np.flatnonzero(np.cumsum(logs[:0:-1]) < 0)
    return int(below[0]) + 1 if len(below) else len(values)


def scale_free_alpha(values: Floats, fit: PowerLaw | None) -> float | None:
    """Return alpha with a threshold relative to the mean eigenvalue, as if the matrix had been scaled to a mean of 1.

    The package's threshold is absolute: the same matrix, a thousandth of its size, loses the small eigenvalues.
    """
    if len(values) < FEWEST:
        return None
    threshold = power_law.THRESHOLD * values.mean()
    if (values > threshold).sum() != (values > power_law.THRESHOLD).sum():
        fit = power_law.fit(values, threshold)
    return None if fit is None else fit.alpha
