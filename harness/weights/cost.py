"""How long the analysis of a matrix will take, from its shape alone: `plan` prints it."""

from pathlib import Path
from typing import Any

from harness import families
from harness.families import Family
from harness.types import Plan, Weighing
from harness.weights.read import locations

# Floating-point operations a second of one core in float64, as measured with torch's and numpy's libraries on an Intel Xeon
# with AVX-512 (benchmarks.races.weights); other machines are up to three times slower.
PRODUCTS = 60e9  # of half a Gram matrix
EIGENVALUES = 35e9
VECTORS = 45e9  # of a singular value decomposition with vectors
OVERHEAD_SECONDS = 0.004  # of a matrix: its fit and its numbers


def seconds(shape: tuple[int, ...], weighing: Weighing, *, merged: bool) -> float:
    """Return the seconds that one core takes for W; with `merged`, for W + ΔW."""
    rows, cols = shape[-2:]
    n, longer = min(rows, cols), max(rows, cols)
    spectrum = longer * n**2 / PRODUCTS + 4 / 3 * n**3 / EIGENVALUES + OVERHEAD_SECONDS
    found = spectrum * (2 if weighing.randomize else 1)
    if merged and longer <= weighing.intruders_up_to:
        found += 2 * (4 * longer * n**2 + 22 * n**3) / VECTORS
    return found


def expected(
    plan: Plan,
    model: str,
    folder: Path,
    cores: int,
) -> float:
    """Return the seconds of all weight analyses that a plan has of one model.

    An adapter that exists already is taken to change every layer.
    """
    by_id = {step.id: step for step in plan.steps}
    found = 0.0
    for step in plan.steps:
        spec: Any = step.spec
        if step.kind != "spectra" or spec.used.model.name != model:
            continue
        family = families.find(spec.used.pin.family or "generic")
        asked = [
            location
            for location in locations(folder, family, split=spec.weighing.split)
            if location.role in spec.weighing.roles
        ]
        trained: Any = by_id[step.needs[-1]].spec if step.needs else None
        if trained is not None:
            asked = [
                location for location in asked if _touched(location.module, family, trained.recipe.targets)
            ]
        merged = spec.adapter is not None
        found += sum(seconds(location.shape, spec.weighing, merged=merged) for location in asked)
    return found / cores


def _touched(module: str, family: Family, targets: tuple[str, ...]) -> bool:
    suffixes = families.lora_targets(family, targets)
    return isinstance(suffixes, str) or any(f".{module}".endswith(f".{suffix}") for suffix in suffixes)
