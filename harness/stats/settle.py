"""Estimate how large a test set would probably settle a comparison that this test set leaves open."""

from harness import stats
from harness import text as words
from harness.types import Comparison


def samples(one: Comparison) -> int | None:
    """Return the total of samples that would probably decide; None if significant already, or without variance."""
    if words.significant(one) or one.detectable <= 0:
        return None
    error = one.detectable / stats.DETECTED
    return stats.needed_samples(one.difference, error, one.n)


def sentence(one: Comparison | None, what: str) -> str:
    """Return `Some 1,800 samples would probably settle it.`, rounded up to two digits; "" if nothing is open."""
    needed = samples(one) if one is not None else None
    if needed is None:
        return ""
    step = 10 ** max(0, len(str(needed)) - 2)
    return f"Some {-(-needed // step) * step:,} samples would probably settle {what}."
