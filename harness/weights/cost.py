"""How long a matrix will take, from its shape alone: what `plan` says of the weights part."""

from collections.abc import Iterable

from harness.types import Weighing

# Floating-point operations a second of one core, float64: measured with numpy 2.4's OpenBLAS on an Intel Xeon with AVX-512
# (benchmarks.weights); other machines are up to three times slower.
PRODUCTS = 45e9  # of a Gram matrix
EIGENVALUES = 6e9  # of the reduction to a tridiagonal matrix, which waits for memory
VECTORS = 6e9  # of a singular value decomposition with vectors
OVERHEAD_SECONDS = 0.004  # of a matrix: its fit and its numbers


def seconds(shape: tuple[int, ...], weighing: Weighing, *, merged: bool) -> float:
    """Of one core, for W, or for W + ΔW."""
    rows, cols = shape[-2:]
    n, longer = min(rows, cols), max(rows, cols)
    spectrum = longer * n**2 / PRODUCTS + 4 / 3 * n**3 / EIGENVALUES + OVERHEAD_SECONDS
    found = spectrum * (2 if weighing.randomize else 1)
    if merged and longer <= weighing.intruders_up_to:
        found += 2 * (4 * longer * n**2 + 22 * n**3) / VECTORS
    return found


def total(shapes: Iterable[tuple[int, ...]], weighing: Weighing, *, merged: bool, cores: int) -> float:
    """Seconds of all of them, one on each core at a time."""
    return sum(seconds(shape, weighing, merged=merged) for shape in shapes) / cores
