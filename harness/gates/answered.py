"""The record of a judged check, before all checks of a file are corrected together."""

from dataclasses import dataclass

from harness.gates.checks import Check
from harness.gates.decide import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A check with its finding, or with the reason why it has none."""

    check: Check
    finding: Finding | None = None  # None: invalid
    because: str = ""
    n: int | None = None
    against: str | None = None
    pass_probability_if_equal: float | None = None
    samples_for_80_percent: int | None = None
