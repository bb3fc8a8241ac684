"""Verdicts as JUnit XML, by Jenkins' junit-10 schema: a verdict is a test case.

A failed gate is a failure, an invalid one an error, an inconclusive one is skipped or a failure, as the caller wants.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness import text as words
from harness.gates.shareable import shareable
from harness.report import verdicts
from harness.report.verdicts import Inconclusive
from harness.terminal.printed import safe
from harness.types import Judgement, Regression, System, Verdict

_Owner = tuple[str | None, System | None, str | None]  # task, system, metric

MOST_SAMPLES = 5  # samples with the largest drops that one failure shows
LONGEST = 600  # characters of a sample's text, and of a message

# Characters that XML 1.0 cannot contain even escaped (section 2.2) and that are not shown by their code points already.
_FORBIDDEN = re.compile("[\ufffe\uffff]")


def render(judgement: Judgement, *, inconclusive: Inconclusive) -> str:
    """Return the verdicts as JUnit XML, without what a source with `share: scores` keeps on the machine."""
    judgement = shareable(judgement)
    kinds = [_kind(verdict, inconclusive) for verdict in judgement.verdicts]
    counts = {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
    }
    name = {"name": _text(words.line(judgement.name))}
    root = Element("testsuites", name | counts)
    suite = SubElement(
        root, "testsuite", name | counts | {"skipped": str(kinds.count("skipped")), "time": "0"}
    )
    held = {"name": "family_error", "value": f"{judgement.family_error:g}"}
    SubElement(SubElement(suite, "properties"), "property", held)
    names, fallen = _Names(), _by_owner(judgement.regressions)
    for verdict, kind in zip(judgement.verdicts, kinds, strict=True):
        place = _text(words.line(f"{judgement.name}.{verdict.task}" if verdict.task else judgement.name))
        # A gate takes no time, but some readers require the attribute.
        case = SubElement(
            suite, "testcase", {"classname": place, "name": names.own(place, _name(verdict)), "time": "0"}
        )
        if kind:
            outcome = SubElement(
                case,
                kind,
                {
                    "message": _text(words.shorten(words.line(verdicts.explained(verdict)), LONGEST)),
                    "type": verdict.verdict,
                },
            )
            outcome.text = _text("\n".join(_lines(verdict, fallen)))
    notes = (*verdicts.warnings(judgement), *judgement.remarks)
    if notes:
        SubElement(suite, "system-out").text = _text("\n".join(map(words.line, notes)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _kind(verdict: Verdict, inconclusive: Inconclusive) -> str:
    """Return the element in the test case; "" if the gate passed."""
    undecided = "failure" if inconclusive == "fail" else "skipped"
    return {"fail": "failure", "invalid": "error", "inconclusive": undecided, "pass": ""}[verdict.verdict]


class _Names:
    """Unique names of test cases within a class: readers identify a test by its class and name."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], int] = {}

    def own(self, place: str, name: str) -> str:
        free = name
        while (place, free) in self._taken:
            self._taken[place, name] += 1
            free = f"{name} ({self._taken[place, name]})"
        self._taken[place, free] = 1
        return free


def _name(verdict: Verdict) -> str:
    parts = (verdict.gate, verdict.subject, verdict.metric, verdict.slice)
    return _text(", ".join(words.name(part) for part in parts if part))


def _lines(verdict: Verdict, fallen: Mapping[_Owner, Sequence[Regression]]) -> Iterator[str]:
    yield words.line(verdict.because)
    facts = {
        "measured": verdicts.measured(verdict),
        "limit": verdicts.limit(verdict),
        "against": verdict.against,
        "samples": verdicts.samples(verdict),
        "samples that would decide": f"{verdict.needed:,}" if verdict.needed else "",
    }
    yield from (f"{what}: {words.line(said)}" for what, said in facts.items() if said)
    if verdict.slice is None:  # it is not recorded which samples a slice has
        own = fallen.get((verdict.task, verdict.system, verdict.metric), ())
        for each in [each for each in own if verdict.against in (None, each.against)][:MOST_SAMPLES]:
            yield from _sample(each)


def _sample(regression: Regression) -> Iterator[str]:
    yield f"sample {words.line(regression.sample_id)}: {words.number(regression.before)} → {words.number(regression.after)}"
    texts = {
        "prompt": regression.prompt,
        "reference": regression.reference,
        "before": regression.answer_before,
        "after": regression.answer_after,
    }
    yield from (
        f"  {what}: {words.shorten(text, LONGEST)}" for what, text in texts.items() if text is not None
    )


def _by_owner(regressions: Sequence[Regression]) -> dict[_Owner, list[Regression]]:
    found: dict[_Owner, list[Regression]] = {}
    for regression in regressions:
        found.setdefault((regression.task, regression.system, regression.metric), []).append(regression)
    return found


def _text(text: str) -> str:
    """Return the text without characters that XML forbids, X, and without workflow commands."""
    return _FORBIDDEN.sub("", safe(text.replace("\r\n", "\n").replace("\r", "\n")))
