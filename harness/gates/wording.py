"""Where an interval lies to a limit, in words."""

from harness.gates.decide import Finding


def lies(finding: Finding, limit: str, *, at_most: bool = False) -> str:
    """Say on which side of the limit the interval is; `at_most`: below is where it should be."""
    if finding.word == "inconclusive":
        return f"{limit} lies within the interval"
    above = (finding.word == "pass") != at_most
    return f"the whole interval lies {'above' if above else 'below'} {limit}"
