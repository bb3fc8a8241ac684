"""WeightWatcher's power law of a spectrum, the same to the last bit, without fitting every tail in full.

Every eigenvalue but the largest may begin the tail. The package fits and measures all tails. Here a few quantiles of each
tail give a lower bound of its distance, for all tails at once; only the tails that may still be the closest are measured,
by the package's own expressions (Clauset, Shalizi and Newman 2009, section 3.3).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 1e-5  # smaller eigenvalues count as zero: the package's EVALS_THRESH
SMALL = 20  # eigenvalues under which the package uses another estimator
SMALLEST_TAIL = 8  # eigenvalues, in that estimator
FLAT = 1e-12  # of Σ log(λ / xmin): no tail at all, in that estimator
PROBES = 24  # quantiles of each tail
NARROW = 1e-4  # mean log(λ / xmin) from which on rounding says more about a tail than its eigenvalues do
SLACK = 1e-9  # what rounding may have added to a bound

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """Density ∝ λ^-alpha from xmin on."""

    alpha: float
    xmin: float
    D: float  # Kolmogorov-Smirnov distance of the tail
    sigma: float  # standard error of alpha
    spikes: int  # eigenvalues in the tail


def fit(
    eigenvalues: Floats,  # any order
    threshold: float = THRESHOLD,
) -> PowerLaw | None:
    """Return the power law that WeightWatcher 0.7.7 fits by default (`fit='PL'`, `pl_package='ww'`).

    None where it gives no exponent above 1.
    """
    values = np.sort(eigenvalues[eigenvalues > threshold])
    if len(values) < 2:
        return None
    at, alpha, D = _small(values) if len(values) < SMALL else _scan(values)
    if not 1 < alpha < np.inf:
        return None
    xmin = values[at]
    return PowerLaw(
        alpha=float(alpha),
        xmin=float(xmin),
        D=float(D),
        sigma=float((alpha - 1) / np.sqrt(len(values) - at)),
        spikes=int((eigenvalues >= xmin).sum()),
    )


def _scan(values: Floats) -> tuple[int, float, float]:
    """Return where the closest tail begins, its alpha and its D."""
    logs = np.log(values)
    bounds = _bounds(values, logs)
    best = (np.inf, 0, 0.0)  # D, where, alpha: of equal distances the longest tail wins
    for at in np.argsort(bounds, kind="stable"):
        if bounds[at] > best[0] + SLACK:
            break
        alpha, D = _measure(values, logs, int(at))
        if (D, at) < best[:2]:
            best = (D, int(at), alpha)
    D, at, alpha = best
    return at, alpha, D


def _measure(values: Floats, logs: Floats, at: int) -> tuple[float, float]:
    """Return alpha and D of one tail, summed in the package's order so that the last bits agree."""
    n = float(len(values) - at)
    with np.errstate(divide="ignore"):  # a tail of equal values
        alpha = 1 + n / (np.sum(logs[at:]) - n * logs[at])
    if not alpha > 1:
        return float(alpha), 1.0
    expected = 1 - (values[at:] / values[at]) ** (-alpha + 1)
    return float(alpha), float(np.max(np.abs(expected - np.arange(n) / n)))


def _bounds(values: Floats, logs: Floats) -> Floats:  # [n - 1]
    """Return a lower bound of D for each beginning of a tail: the largest distance at some of its quantiles."""
    n = len(values)
    begins = np.arange(n - 1)
    tails = (n - begins).astype(np.float64)
    sums = np.cumsum(logs[::-1])[::-1][:-1]
    spread = sums - tails * logs[:-1]  # Σ log(λ / xmin)
    with np.errstate(divide="ignore"):
        exponents = tails / spread  # alpha - 1
    steps = (tails[:, None] * np.linspace(0, 1, PROBES, endpoint=False)).astype(np.int64)
    probes = np.concatenate([steps, (tails[:, None] - 1).astype(np.int64)], axis=1)  # [n - 1, PROBES + 1]
    with np.errstate(invalid="ignore", over="ignore"):
        over = logs[begins[:, None] + probes] - logs[:-1, None]
        distances = np.abs(1 - np.exp(-exponents[:, None] * over) - probes / tails[:, None])
    bounds = distances.max(axis=1)
    return np.where(np.isfinite(bounds) & (spread > NARROW * tails), bounds, 0.0)


def _small(values: Floats) -> tuple[int, float, float]:
    """Return the tail, alpha and D of few values: alpha is corrected for its bias, a tail has at least eight values."""
    n = len(values)
    logs = np.log(values)
    alphas, distances, found = np.zeros(n - 1), np.ones(n - 1), False
    for at in range(n - 1):
        tail = n - at
        if tail < SMALLEST_TAIL:
            continue
        total = np.sum(logs[at:]) - float(tail) * logs[at]
        if total <= FLAT:
            continue
        alphas[at] = 1.0 + (tail - 1.0) / total
        if alphas[at] <= 1.0:
            continue
        distances[at], found = _distance(values, at, alphas[at]), True
    if not found:
        total = np.sum(logs) - n * logs[0]
        if total > FLAT:
            alphas[0] = 1.0 + (n - 1.0) / total
            distances[0] = _distance(values, 0, alphas[0])
    at = int(np.argmin(distances))
    return at, float(alphas[at]), float(distances[at])


def _distance(values: Floats, at: int, alpha: float) -> float:
    tail = values[at:]
    expected = 1.0 - (tail / values[at]) ** (1.0 - alpha)
    return float(np.max(np.abs(np.arange(len(tail), dtype=np.float64) / len(tail) - expected)))
