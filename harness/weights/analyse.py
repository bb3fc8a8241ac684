"""Every layer of a base, or of an adapter's update and of both together, with its numbers or with why it has none.

The oracle is imported with the first matrix that goes to it: that costs seconds.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness import adapter as lora
from harness.adapter import Factors
from harness.families import Family
from harness.families import role as role_of
from harness.types import WeightRow
from harness.weights.norms import effective_rank, low_rank_singular_values, norms
from harness.weights.oracle import FEWEST, OF_THE_FIT, spectrum
from harness.weights.read import NOT_ASKED, READ, Matrix, matrices, places
from harness.weights.updates import Update, updates

ROLES = ("q", "k", "v", "o", "qkv", "feed-forward")
RELIABLE = 32  # values from which on an alpha is worth reading: a true 3.0 reads 2.2 to 5.2 from 8
ROUNDING = 1e-6  # of the largest singular value: float32 factors say nothing about smaller ones
# The oracle drops eigenvalues under 1e-5, whatever the largest is; an update's are scaled so that none is dropped.
LARGEST_FITTED = 1e8

Finding = tuple[str, Mapping[str, float]]  # a row's status and its numbers


def analyse(
    folder: Path,
    family: Family,
    adapter: Path | None,
    *,
    model: str,
    adapter_name: str | None,
    roles: Collection[str] = ROLES,
) -> Iterator[WeightRow]:
    """Rows of part W for the base alone; of parts delta and merged, for each layer it touches, with an adapter."""
    if adapter is None:
        for matrix in matrices(folder, family, lambda name, role: role in roles):
            finding = _base(matrix)
            yield _row(matrix, finding, part="W", model=model, adapter=None)
        return
    weights, found = lora.read(adapter), places(folder, family)
    for update in updates(weights, found, family, adapter=adapter, base=folder):
        delta, merged = _found(update, asked=update.role in roles)
        held = update.saved or update.place
        assert held is not None
        matrix = Matrix(name=update.name, role=update.role, shape=held.shape, array=None, status="")
        rank = update.factors.A.shape[0] if update.factors else None
        yield _row(matrix, delta, part="delta", model=model, adapter=adapter_name, rank=rank)
        yield _row(matrix, merged, part="merged", model=model, adapter=adapter_name)
    for name, shape in weights.others.items():
        if len(shape) > 1:
            other = Matrix(name=name, role=role_of(family, name), shape=shape, array=None, status="")
            finding = f"failed: {name} is neither a low-rank update nor a whole matrix", {}
            yield _row(other, finding, part="delta", model=model, adapter=adapter_name)


def _found(update: Update, *, asked: bool) -> tuple[Finding, Finding]:
    """Findings of ΔW and of W + ΔW, or of a whole matrix and what it adds to the base's."""
    if not asked:
        return (NOT_ASKED, {}), (NOT_ASKED, {})
    base = update.place.read() if update.place else None
    if update.saved is None:
        assert base is not None and update.factors is not None
        return _update(replace(base, name=update.name), update.factors)
    saved = update.saved.read()
    merged = _base(saved)
    if saved.array is None:
        return merged, merged
    if base is None or base.array is None or base.shape != saved.shape:
        return (f"failed: the base has no matrix that {update.name} could be compared with", {}), merged
    return _whole(update.name, saved.array - base.array.astype(np.float64)), merged


def _base(matrix: Matrix) -> Finding:
    if matrix.array is None or matrix.status != READ:
        return matrix.status, {}
    return _whole(matrix.name, matrix.array)


def _update(matrix: Matrix, factors: Factors) -> tuple[Finding, Finding]:
    """Findings of ΔW and of W + ΔW."""
    delta = _delta(matrix.name, factors, matrix.array)
    if matrix.array is None:
        return delta, (matrix.status, {})
    if not factors.finite:
        return delta, delta
    return delta, _whole(matrix.name, factors.merged(matrix.array))


def _whole(name: str, W: NDArray[np.floating]) -> Finding:
    if not np.isfinite(W).all():
        bad = int((~np.isfinite(W)).sum())
        return f"failed: {bad} of {W.size} numbers in {name} are NaN or infinite", {}
    if not W.any():
        return "zero", {}
    if min(W.shape) < FEWEST:
        return "too few eigenvalues", norms(np.linalg.svd(W.astype(np.float64), compute_uv=False))
    try:
        numbers = spectrum(W)
    except ValueError as error:  # too large for the oracle, or its decomposition does not converge
        return f"failed: {name}: {error}", {}
    return ("analysed" if "alpha" in numbers else f"failed: no power law fits {name}"), numbers


def _delta(name: str, factors: Factors, W: NDArray[np.floating] | None) -> Finding:
    if not factors.finite:
        return f"failed: the update of {name} holds NaN or infinity", {}
    values = low_rank_singular_values(factors)
    if not values.any():
        return "zero", {}
    values = values[values > ROUNDING * values.max()]
    found = {
        **norms(values),
        "num_evals": float(len(values)),
        "frobenius_norm": float(np.linalg.norm(values)),
        "effective_rank": effective_rank(values),
    }
    size = 0.0 if W is None else float(np.linalg.norm(W.astype(np.float64)))
    if 0 < size < np.inf:
        found["delta_ratio"] = found["frobenius_norm"] / size
    if len(values) < FEWEST:
        return "too few eigenvalues", found
    unit = np.sqrt(LARGEST_FITTED) / values.max()
    fit = {name: value for name, value in spectrum(np.diag(values * unit)).items() if name in OF_THE_FIT}
    if not fit:
        return f"failed: no power law fits the update of {name}", found
    fit["xmin"] /= float(unit) ** 2
    fit["alpha_weighted"] = fit["alpha"] * found["log_spectral_norm"]
    return "analysed", {**fit, **found, "reliable": float(len(values) >= RELIABLE)}


def _row(
    matrix: Matrix,
    finding: Finding,
    *,
    part: Literal["W", "delta", "merged"],
    model: str,
    adapter: str | None,
    rank: int | None = None,
) -> WeightRow:
    status, numbers = finding
    rows, cols = matrix.shape[-2:]
    return WeightRow(
        model=model,
        adapter=adapter,
        part=part,
        layer=matrix.name,
        role=matrix.role,
        status=status,
        rows=rows,
        cols=cols,
        eigenvalues=min(rows, cols, rank or rows),
        numbers=numbers,
    )
