"""The analysis of one matrix: of the base, of an update, or of both together."""

from collections.abc import Mapping

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from harness.checkpoints.adapter import Factors
from harness.types import Weighing
from harness.weights import finite, marchenko_pastur, oracle, power_law, spectrum
from harness.weights.cache import LayerResult
from harness.weights.dense import singular_values
from harness.weights.gram import add_update, eigenvalues, gram
from harness.weights.norms import effective_rank, low_rank_singular_values, norms

RELIABLE = 32  # values from which on an alpha is worth reading: a true 3.0 reads 2.2 to 5.2 from 8
ROUNDING = 1e-6  # of the largest singular value: smaller values are below the precision of float32 factors
FEW_TO_SHUFFLE = 100  # eigenvalues under which a randomized matrix is taken five times, as the package does
COPIES = 5

Matrix = NDArray[np.floating]


def whole(
    name: str,
    W: Matrix,  # [out, in]
    weighing: Weighing,
    update: Factors | None = None,  # that makes the matrix W + ΔW
) -> LayerResult:
    """Return the spectrum of W, or of W + ΔW, which is formed only where its Gram matrix does not suffice."""
    bad = int((~np.isfinite(W)).sum())
    if bad:
        return LayerResult(status=finite.status(bad, W.size), numbers={})
    plain = update is None or update.magnitude is None
    if weighing.oracle or not plain:
        W, update = (W if update is None else update.merged(W)), None
    if weighing.oracle:
        return _by_the_package(name, W, weighing)
    try:
        values = _eigenvalues(W, update)
    except LinAlgError as error:
        return _failed(f"{name}: {error}")
    if not values[-1] > 0:
        return LayerResult(status="zero", numbers={})
    numbers = dict(spectrum.describe(values, W.shape))
    if weighing.randomize and len(values) >= spectrum.FEWEST:
        numbers |= _randomized(W if update is None else update.merged(W), values, weighing.seed)
    if len(values) < spectrum.FEWEST:
        return LayerResult(status="too few eigenvalues", numbers=numbers)
    if "alpha" not in numbers:
        return LayerResult(status=f"failed: no power law fits {name}", numbers=numbers)
    return LayerResult(status="analysed", numbers=numbers, density=spectrum.density(values))


def delta(
    name: str,
    factors: Factors,
    W: Matrix | None,  # [out, in]; None where it could not be read
) -> LayerResult:
    """Return the spectrum of ΔW, which is never formed."""
    if not factors.finite:
        parts = [part for part in (factors.A, factors.B, factors.magnitude) if part is not None]
        bad = sum(int((~np.isfinite(part)).sum()) for part in parts)
        if bad:
            return LayerResult(status=finite.status(bad, sum(part.size for part in parts)), numbers={})
        if not np.isfinite(factors.scale):
            return LayerResult(
                status=f"{finite.NOT_FINITE}: the scale of the update is {factors.scale}", numbers={}
            )
        return LayerResult(
            status=f"{finite.NOT_FINITE}: the update is larger than float32 can be", numbers={}
        )
    values = low_rank_singular_values(factors)
    if not values.any():
        return LayerResult(status="zero", numbers={})
    values = values[values > ROUNDING * values.max()]
    found = {
        **norms(values),
        "num_evals": float(len(values)),
        "frobenius_norm": float(np.linalg.norm(values)),
        "effective_rank": effective_rank(values),
    }
    size = 0.0 if W is None else float(np.sqrt(np.einsum("ij,ij->", W, W, dtype=np.float64)))
    if 0 < size < np.inf:
        found["delta_ratio"] = found["frobenius_norm"] / size
    if len(values) < spectrum.FEWEST:
        return LayerResult(status="too few eigenvalues", numbers=found)
    fit = power_law.fit(values**2, threshold=0.0)
    if fit is None:
        return LayerResult(status=f"failed: no power law fits the update of {name}", numbers=found)
    found |= {
        "alpha": fit.alpha,
        "D": fit.D,
        "sigma": fit.sigma,
        "xmin": fit.xmin,
        "num_pl_spikes": float(fit.spikes),
        "alpha_weighted": fit.alpha * found["log_spectral_norm"],
        "reliable": float(len(values) >= RELIABLE),
    }
    return LayerResult(status="analysed", numbers=found)


def shift(merged: LayerResult, base: LayerResult) -> Mapping[str, float]:
    """Return how far the update moved the base's numbers."""
    return {
        f"{name}_shift": merged.numbers[name] - base.numbers[name]
        for name in ("alpha", "lambda_max")
        if name in merged.numbers and name in base.numbers
    }


def _eigenvalues(W: Matrix, update: Factors | None) -> NDArray[np.float64]:
    total = gram(W)
    if update is not None:
        add_update(total, W, update)
    found = eigenvalues(total)
    if found is not None:
        return found
    whole = W.astype(np.float64) if update is None else update.merged(W)
    return singular_values(whole)[::-1] ** 2


def _randomized(W: Matrix, values: NDArray[np.float64], seed: int) -> Mapping[str, float]:
    generator = np.random.default_rng(seed)
    copies = COPIES if len(values) < FEW_TO_SHUFFLE else 1
    shuffled = [_eigenvalues(marchenko_pastur.randomized(W, generator), None) for _ in range(copies)]
    return marchenko_pastur.of_randomized(values, np.concatenate(shuffled), W.shape)


def _by_the_package(name: str, W: Matrix, weighing: Weighing) -> LayerResult:
    if not W.any():
        return LayerResult(status="zero", numbers={})
    if min(W.shape) < spectrum.FEWEST:
        return LayerResult(
            status="too few eigenvalues", numbers=norms(np.linalg.svd(W.astype(np.float64), compute_uv=False))
        )
    try:
        numbers = oracle.spectrum(W, randomize=weighing.randomize, seed=weighing.seed)
    except ValueError as error:  # too large for the package, or its decomposition does not converge
        return _failed(f"{name}: {error}")
    if "alpha" not in numbers:
        return LayerResult(status=f"failed: no power law fits {name}", numbers=numbers)
    return LayerResult(status="analysed", numbers=numbers)


def _failed(why: str) -> LayerResult:
    return LayerResult(status=f"failed: {why}", numbers={})
