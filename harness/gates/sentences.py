"""Explain a verdict in a sentence; the numbers themselves stand beside it."""

from harness.gates.answered import Answered


def sentence(answered: Answered) -> str:
    """Return where the interval lies relative to the limit, what else counts, and what would settle it."""
    finding, check = answered.finding, answered.check
    if finding is None:
        return answered.because
    parts = [check.rule.sentence(check.limit, finding, answered.n or 0), answered.because]
    if finding.needed is not None:
        parts.append(f"some {finding.needed:,} samples would probably decide")
    return "; ".join(filter(None, parts))
