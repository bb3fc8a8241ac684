"""How long the analysis of a matrix will take, from its shape alone: `plan` prints it."""

from pathlib import Path

from harness import families
from harness.families import Family
from harness.types import Weighing
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


def of_step(
    folder: Path,
    family: Family,
    weighing: Weighing,
    targets: tuple[str, ...] | None,  # of the recipe; None: all matrices are analysed
    *,
    merged: bool,
) -> float:
    """Return the seconds that one core takes for the analysis of a base, or of an adapter on it."""
    return sum(
        seconds(location.shape, weighing, merged=merged)
        for location in locations(folder, family, split=weighing.split)
        if location.role in weighing.roles and (targets is None or _touched(location.module, family, targets))
    )


def _touched(module: str, family: Family, targets: tuple[str, ...]) -> bool:
    suffixes = families.lora_targets(family, targets)
    return isinstance(suffixes, str) or any(f".{module}".endswith(f".{suffix}") for suffix in suffixes)
