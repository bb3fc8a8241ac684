"""Say where an interval lies relative to a limit."""

from harness.gates.decide import Finding


def lies(finding: Finding, limit: str, *, at_most: bool = False) -> str:
    """Return on which side of the limit the interval lies; `at_most`: it should lie below."""
    if finding.word == "inconclusive":
        return f"{limit} lies within the interval"
    above = (finding.word == "pass") != at_most
    return f"the whole interval lies {'above' if above else 'below'} {limit}"
