"""JUnit XML: by the rules of Jenkins' junit-10 schema, and as its readers read it."""

import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import text as words
from harness.report import junit, verdicts
from harness.report.verdicts import Inconclusive
from harness.types import Judgement

# What the schema lets stand in what: element -> attributes that must be there, that may, and children.
RULES = {
    "testsuites": ((), ("name", "time", "tests", "failures", "errors"), ("testsuite",)),
    "testsuite": (
        ("name", "tests", "failures", "errors"),
        (
            *("group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"),
            *("name", "tests", "failures", "errors"),
        ),
        ("testsuite", "properties", "testcase", "system-out", "system-err"),
    ),
    "properties": ((), (), ("property",)),
    "property": (("name", "value"), ("name", "value"), ()),
    "testcase": (
        ("name",),
        ("name", "time", "classname", "group"),
        ("skipped", "error", "failure", "system-out", "system-err"),
    ),
    "failure": ((), ("type", "message"), ()),
    "error": ((), ("type", "message"), ()),
    "skipped": ((), ("type", "message"), ()),
    "system-out": ((), (), ()),
}
MIXED = ("failure", "error", "skipped", "system-out")  # elements that may hold text
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
ways = st.sampled_from(["fail", "pass", "warn"])


def faults(element: ElementTree.Element) -> list[str]:
    """Where a document breaks the schema's rules."""
    if element.tag not in RULES:
        return [f"{element.tag} is no element of the schema"]
    needed, allowed, children = RULES[element.tag]
    given = set(element.attrib)
    found = [f"{element.tag} lacks {name}" for name in set(needed) - given]
    found += [f"{element.tag} may not have {name}" for name in given - set(allowed)]
    found += [f"{child.tag} may not be in {element.tag}" for child in element if child.tag not in children]
    if element.tag not in MIXED and (element.text or "").strip():
        found.append(f"{element.tag} may not hold text")
    if element.tag in ("testsuite", "testsuites") and not TIME.fullmatch(element.get("time", "")):
        found.append(f"time {element.get('time')!r}")
    found += [f"text after {child.tag}" for child in element if (child.tail or "").strip()]
    return [*found, *(fault for child in element for fault in faults(child))]


def cleaned(text: str) -> str:
    """In one line, and by the grammar of XML 1.0 (section 2.2), character by character."""
    text = words.line(text)
    kept = [(0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    return "".join(c for c in text if c in "\t\n\r" or any(low <= ord(c) <= high for low, high in kept))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(judgement=..., inconclusive=ways)
def test_every_document_keeps_to_the_schema(judgement: Judgement, inconclusive: Inconclusive) -> None:
    root = ElementTree.fromstring(junit.render(judgement, inconclusive=inconclusive).encode())
    assert root.tag == "testsuites"
    assert faults(root) == []


def test_the_rules_find_what_the_schema_forbids() -> None:
    case = '<testcase time="0">x<flaky/></testcase>'
    wrong = f'<testsuite name="a" tests="1" failures="0" time="1e-3" assertions="0">{case}</testsuite>'
    assert len(faults(ElementTree.fromstring(wrong))) == 7


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(judgement=..., inconclusive=ways)
def test_the_counts_are_those_of_the_cases(judgement: Judgement, inconclusive: Inconclusive) -> None:
    root = ElementTree.fromstring(junit.render(judgement, inconclusive=inconclusive).encode())
    (suite,) = root
    cases = suite.findall("testcase")
    held = Counter(child.tag for case in cases for child in case)
    expected = Counter(one.verdict for one in judgement.verdicts)
    undecided = "failure" if inconclusive == "fail" else "skipped"
    assert held == Counter({"failure": expected["fail"], "error": expected["invalid"]}) + Counter(
        {undecided: expected["inconclusive"]}
    )
    assert int(suite.attrib["tests"]) == len(cases) == len(judgement.verdicts)
    told = {name: int(suite.attrib[name]) for name in ("failures", "errors", "skipped")}
    assert told == {"failures": held["failure"], "errors": held["error"], "skipped": held["skipped"]}
    assert {name: root.attrib[name] for name in ("failures", "errors")} == {
        name: suite.attrib[name] for name in ("failures", "errors")
    }


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(judgement=..., inconclusive=ways)
def test_another_reader_reads_the_same(judgement: Judgement, inconclusive: Inconclusive) -> None:
    text = junit.render(judgement, inconclusive=inconclusive)
    (read,) = junitparser.JUnitXml.fromstring(text.encode())
    cases = list(read)
    assert (read.tests, read.name) == (len(judgement.verdicts), cleaned(judgement.name))
    kinds = {"fail": junitparser.Failure, "invalid": junitparser.Error, "inconclusive": junitparser.Skipped}
    if inconclusive == "fail":
        kinds["inconclusive"] = junitparser.Failure
    for case, one in zip(cases, judgement.verdicts, strict=True):
        if one.verdict == "pass":
            assert case.is_passed
            continue
        (result,) = case.result
        assert isinstance(result, kinds[one.verdict])
        assert result.type == one.verdict
        assert (result.text or "").startswith(cleaned(one.because))
        said = verdicts.explained(one)
        assert result.message == cleaned(said) or len(said) > 600


@pytest.mark.slow
@settings(deadline=None)
@given(judgement=..., times=st.integers(1, 4))
def test_no_two_cases_share_class_and_name(judgement: Judgement, times: int) -> None:
    many = replace(judgement, verdicts=judgement.verdicts * times)
    root = ElementTree.fromstring(junit.render(many, inconclusive="warn").encode())
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names) == len(many.verdicts)


def test_a_case_is_called_by_its_gate_system_metric_and_slice(judgement: Judgement) -> None:
    verdicts = (*judgement.verdicts, replace(judgement.verdicts[-1], slice="category = facts"))
    root = ElementTree.fromstring(
        junit.render(replace(judgement, verdicts=verdicts), inconclusive="warn").encode()
    )
    assert [(case.get("classname"), case.get("name")) for case in root.iter("testcase")] == [
        ("ci.dialogues", "max_drop 1.0, llama2-tiny + quickstart, rougeL"),
        ("ci.dialogues", "no broken class, llama2-tiny + quickstart, rougeL"),
        ("ci", "max_train_seconds 60, falcon-tiny + quickstart"),
        ("ci.instructions", "max_drop 1.0, llama2-tiny + quickstart, rougeL"),
        ("ci.instructions", "max_drop 1.0, llama2-tiny + quickstart, rougeL, category = facts"),
    ]


def test_a_failure_tells_the_samples_that_fell_on_its_task(judgement: Judgement) -> None:
    root = ElementTree.fromstring(junit.render(judgement, inconclusive="warn").encode())
    failure = root.find(".//failure")
    assert failure is not None and failure.text is not None
    assert failure.text.splitlines() == [
        "fell by 2.41 [1.33, 3.52], more than 1.0",
        "measured: −2.41 [−3.52,\N{NO-BREAK SPACE}−1.33]",
        "limit: 1.0",
        "against: base",
        "samples: 800",
        "sample test-000017: 62.1 → 12.0",
        "  prompt: How many boxes",
        "are there?",
        "  reference: Nineteen boxes.",
        "  before: Nineteen",
        "  after: ",
    ]


@pytest.mark.parametrize("inconclusive", ["fail", "pass", "warn"])
def test_what_cannot_tell_is_never_a_pass(judgement: Judgement, inconclusive: Inconclusive) -> None:
    only = replace(judgement, verdicts=judgement.verdicts[1:2])
    (read,) = junitparser.JUnitXml.fromstring(junit.render(only, inconclusive=inconclusive).encode())
    assert not any(case.is_passed for case in read)


def test_no_verdict_is_no_case(judgement: Judgement) -> None:
    root = ElementTree.fromstring(junit.render(replace(judgement, verdicts=()), inconclusive="fail").encode())
    assert root.attrib == {"name": "ci", "tests": "0", "failures": "0", "errors": "0"}
    assert list(root.iter("testcase")) == []
