"""How large a test set would probably settle a comparison that this one leaves open."""

from harness import stats
from harness import text as words
from harness.types import Comparison


def samples(one: Comparison) -> int | None:
    """So many in all, these among them; None where it is settled, or nothing scatters."""
    if words.significant(one) or one.detectable <= 0:
        return None
    error = one.detectable / stats.DETECTED
    return stats.needed_samples(one.difference, error, one.n)


def sentence(one: Comparison | None, what: str) -> str:
    """Return `Some 1,800 samples would probably settle it.`, rounded up to two digits; empty where nothing is open."""
    needed = samples(one) if one is not None else None
    if needed is None:
        return ""
    step = 10 ** max(0, len(str(needed)) - 2)
    return f"Some {-(-needed // step) * step:,} samples would probably settle {what}."
