"""Why a verdict is as it is, in a sentence; the numbers themselves stand beside it."""

from harness import text as words
from harness.gates.answered import Answered
from harness.gates.decide import Finding


def sentence(one: Answered) -> str:
    """Where the interval lies to what is demanded, what else counts, and what would settle it."""
    if one.finding is None:
        return one.because
    parts = [_lies(one, one.finding), one.because]
    if one.finding.needed is not None:
        parts.append(f"some {one.finding.needed:,} samples would probably decide")
    return "; ".join(filter(None, parts))


def _lies(one: Answered, finding: Finding) -> str:
    gate, rule = one.check.gate, one.check.rule
    if rule == "max_worse_samples":
        worse = gate.max_worse_samples
        assert worse is not None and one.n is not None
        count = finding.value if worse.percent is None else finding.value * one.n / 100
        fell = f"{count:.0f} of {words.plural(one.n, 'sample')} fell by more than {worse.drop:g}"
        return (
            fell if worse.percent is None else f"{fell}; {_place(finding, f'{worse.percent:g} %', most=True)}"
        )
    if finding.low is None:
        return ""
    limit = {
        "min_value": gate.min_value,
        "max_drop": gate.max_drop,
        "max_relative_drop": gate.max_relative_drop,
        "must_beat": None,
    }[rule]
    if limit is None:
        return _place(finding, "no difference", most=False)
    said = f"{limit:g}" if rule == "min_value" or not limit else f"{words.MINUS}{limit:g}"
    return _place(finding, said + (" %" if rule == "max_relative_drop" else ""), most=False)


def _place(finding: Finding, limit: str, *, most: bool) -> str:
    """Which side of the limit the interval is on; `most`: below is where it should be."""
    if finding.word == "inconclusive":
        return f"{limit} lies within the interval"
    above = (finding.word == "pass") != most
    return f"the whole interval lies {'above' if above else 'below'} {limit}"
