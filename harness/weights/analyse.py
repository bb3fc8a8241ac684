"""Every layer of a base, or of an adapter's update and of both together, with its numbers or with why it has none.

The oracle is imported with the first matrix that goes to it: that costs seconds.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness import adapter as lora
from harness.adapter import Factors, LoraWeights
from harness.errors import AdapterError
from harness.families import Family
from harness.families import role as role_of
from harness.types import WeightRow
from harness.weights.norms import effective_rank, low_rank_singular_values, norms
from harness.weights.oracle import FEWEST, OF_THE_FIT, spectrum
from harness.weights.read import NOT_ASKED, READ, Matrix, matrices

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
    weights = lora.read(adapter)
    names = [matrix.name for matrix in matrices(folder, family, lambda name, role: False)]
    touched = _places(weights, adapter, names, folder)
    for matrix in matrices(folder, family, lambda name, role: role in roles and name in touched):
        factors = touched.get(matrix.name)
        if factors is None:
            continue
        if factors.shape != matrix.shape:
            raise AdapterError(
                f"{adapter}: the update of {matrix.name} is {list(factors.shape)}, the base's matrix "
                f"{list(matrix.shape)}; the adapter is for another base"
            )
        delta, merged = _update(matrix, factors)
        yield _row(matrix, delta, part="delta", model=model, adapter=adapter_name, rank=factors.A.shape[0])
        yield _row(matrix, merged, part="merged", model=model, adapter=adapter_name)
    for name, shape in weights.others.items():
        if len(shape) > 1:
            layer = name.removesuffix(".weight")
            saved = Matrix(name=layer, role=role_of(family, name), shape=shape, array=None, status="")
            finding = f"failed: {layer} is saved whole, not as a low-rank update", {}
            yield _row(saved, finding, part="delta", model=model, adapter=adapter_name)


def _base(matrix: Matrix) -> Finding:
    if matrix.array is None or matrix.status != READ:
        return matrix.status, {}
    return _whole(matrix.name, matrix.array)


def _update(matrix: Matrix, factors: Factors) -> tuple[Finding, Finding]:
    """Findings of ΔW and of W + ΔW."""
    if matrix.status == NOT_ASKED:
        return (matrix.status, {}), (matrix.status, {})
    delta = _delta(matrix.name, factors, matrix.array)
    if matrix.array is None:
        return delta, (matrix.status, {})
    if not factors.finite:
        return delta, delta
    return delta, _whole(matrix.name, matrix.array + factors.delta())


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


def _delta(name: str, factors: Factors, W: NDArray[np.float32] | None) -> Finding:
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


def _places(weights: LoraWeights, adapter: Path, names: list[str], folder: Path) -> Mapping[str, Factors]:
    """The base's matrix for each of the adapter's modules; where prefixes differ, the only one with the same end."""
    known, places, lost = set(names), {}, []
    for module, factors in weights.modules.items():
        if module in known:
            places[module] = factors
            continue
        near = [
            name for name in names if f".{name}".endswith(f".{module}") or f".{module}".endswith(f".{name}")
        ]
        if len(near) == 1 and near[0] not in weights.modules and near[0] not in places:
            places[near[0]] = factors
        else:
            lost.append(f"{module} ({'no such matrix' if not near else 'could be ' + ' or '.join(near[:2])})")
    if lost:
        more = f", and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise AdapterError(f"{adapter}: does not fit the base in {folder}: {', '.join(lost[:3])}{more}")
    return places


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
