"""A check with its finding, before all of a file are corrected together."""

from dataclasses import dataclass

from harness.gates.checks import Check
from harness.gates.decide import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A check with its finding, or with the reason why there is none."""

    check: Check
    finding: Finding | None = None  # None: invalid
    because: str = ""
    n: int | None = None
    against: str | None = None
    pass_probability_if_equal: float | None = None
    samples_for_80_percent: int | None = None
