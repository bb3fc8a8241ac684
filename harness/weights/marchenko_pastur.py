"""The noise in a spectrum: Marchenko and Pastur's law (1967) fitted to it, and the eigenvalues that exceed it.

The fit is WeightWatcher's own. It estimates the same kernel density again for each of some 240 widths; here it is
estimated once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BANDWIDTH = 0.1  # of the triangular kernel, in units of the mean eigenvalue
POINTS = 1000  # at which densities are compared
FAINT = 0.01  # densities under it are left out
WIDTHS = (
    0.05,
    2.0,
    0.01,
)  # searched: from, to and step, in units of the width that the largest eigenvalue would need
IMPOSSIBLE = 1000.0  # the residual at every point where a width cannot be

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """The bulk of a spectrum: the eigenvalues that look like noise."""

    sigma: float  # of the entries, with the mean eigenvalue scaled to 1
    low: float  # edges, in the spectrum's own units
    high: float
    spikes: int  # eigenvalues above the upper edge and its fluctuation (Tracy and Widom 1994)
    softrank: float  # upper edge over the largest eigenvalue


def fit(
    eigenvalues: Floats,
    shape: tuple[int, int],
) -> Bulk:
    """Return the bulk of a spectrum, as WeightWatcher 0.7.7's `mp_fit` finds it."""
    from scipy.optimize import brute

    longer, shorter = max(shape), min(shape)
    Q = longer / shorter
    scale = len(eigenvalues) / eigenvalues.sum()
    values = eigenvalues * scale
    largest = values.max()
    residual = _Residual(np.sqrt(values) if Q == 1 else values, Q)
    widest = np.sqrt(largest / np.square(1 + 1 / np.sqrt(Q)))
    start, stop, step = (width * widest for width in WIDTHS)
    sigma = float(np.ravel(brute(residual, (slice(start, stop, step),)))[0])
    high, low = ((sigma * (1 + sign / np.sqrt(Q))) ** 2 for sign in (1, -1))
    fluctuation = 1 / np.sqrt(Q) * high ** (2 / 3) * shorter ** (-2 / 3)
    return Bulk(
        sigma=sigma,
        low=float(low / scale),
        high=float(high / scale),
        spikes=int((values > high + np.sqrt(fluctuation)).sum()),
        softrank=float(high / largest),
    )


class _Residual:
    """Squared distance between a spectrum's density and the law's, for a width."""

    def __init__(self, values: Floats, Q: float) -> None:
        at = np.linspace(0, values.max() + 0.5, POINTS)
        found = density(values, at)
        plain = found > FAINT
        self.Q, self.at, self.density = Q, at[plain], found[plain]
        self.peak = self.at[found[plain] == found.max()]

    def __call__(self, width: Floats) -> float:
        sigma = float(np.ravel(width)[0])
        if self.Q == 1:
            inside = np.maximum(4 - self.at**2, 0.0)
            law = np.sqrt(inside) / (np.pi * sigma * sigma)
            return float(((law - self.density) ** 2).sum())
        high, low = ((sigma * (1 + sign / np.sqrt(self.Q))) ** 2 for sign in (1, -1))
        if high < self.peak[0] or high > self.at.max() or low > self.peak[0]:
            return IMPOSSIBLE**2 * len(self.at)
        with np.errstate(divide="ignore", invalid="ignore"):
            law = np.sqrt(np.maximum((high - self.at) * (self.at - low), 0.0)) / (
                2 * np.pi * sigma * sigma * self.at / self.Q
            )
        return float(((np.nan_to_num(law) - self.density) ** 2).sum())


def density(values: Floats, at: Floats) -> Floats:
    """Return a kernel density with a triangular kernel, from sums over sorted values."""
    values = np.sort(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])

    def rising(low: Floats, high: Floats, zero: Floats, sign: int) -> Floats:
        """Return Σ sign · (value - zero) over the values from low to high."""
        first, last = np.searchsorted(values, low, "left"), np.searchsorted(values, high, "left")
        found: Floats = sign * (sums[last] - sums[first] - zero * (last - first))
        return found

    left = rising(at - BANDWIDTH, at, at - BANDWIDTH, 1)
    right = rising(at, at + BANDWIDTH, at + BANDWIDTH, -1)
    return (left + right) / (len(values) * BANDWIDTH**2)


def randomized(
    W: NDArray[np.floating],
    generator: np.random.Generator,
) -> NDArray[np.floating]:
    """Return the same entries in random order, whose spectrum is noise."""
    return generator.permutation(W.ravel()).reshape(W.shape)


def of_randomized(
    values: Floats,  # the matrix's own eigenvalues
    shuffled: Floats,  # the eigenvalues of its randomized copies, one copy after the other
    shape: tuple[int, int],
) -> Mapping[str, float]:
    """Return the package's numbers of a randomized layer, and of the bulk of the matrix itself."""
    copy = shuffled[: len(values)]
    own, noise = fit(values, shape), fit(shuffled, shape)
    return {
        "rand_distance": distance(values, np.sort(copy)),
        "max_rand_eval": float(shuffled.max()),
        "ww_softrank": float(copy.max() / values.max()),
        "ww_maxdist": float(values.max() - copy.max()),
        "num_traps": float(noise.spikes),
        "rand_sigma_mp": noise.sigma,
        "rand_mp_softrank": noise.softrank,
        "sigma_mp": own.sigma,
        "mp_softrank": own.softrank,
        "num_spikes": float(own.spikes),
        "bulk_max": own.high,
        "bulk_min": own.low,
    }


def distance(p: Floats, q: Floats) -> float:
    """Return the Jensen-Shannon distance of two ascending spectra, each scaled to probabilities (Lin 1991)."""
    middle = p + q
    return float(np.sqrt(max(0.0, (_entropy(p, middle) + _entropy(q, middle)) / 2)))


def _entropy(p: Floats, q: Floats) -> float:
    """Return the relative entropy of p to q, both scaled to probabilities (Kullback and Leibler 1951)."""
    p, q = p / p.sum(), q / q.sum()
    some = p > 0
    return float((p[some] * np.log(p[some] / q[some])).sum())
