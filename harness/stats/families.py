"""Correct for many questions at once: Holm's correction, and the number of resamples that it needs."""

from collections.abc import Sequence

from harness.stats.draws import RESAMPLES


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for the number of questions (Holm 1979), in input order."""
    if not all(0 <= one <= 1 for one in p):
        raise ValueError(f"not probabilities: {[one for one in p if not 0 <= one <= 1]}")
    adjusted, floor = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        floor = max(floor, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = floor
    return adjusted


def resamples_for(family_size: int) -> int:
    """Return 20 x family / 0.05, so that the smallest possible p, 1 / (1 + resamples), stays significant after Holm."""
    return max(RESAMPLES, 400 * family_size)
