"""What GitHub Actions reads: workflow commands, parsed here as its runner parses them, and the step's summary."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report import comment, github
from harness.report.verdicts import Inconclusive
from harness.types import Judgement

ways = st.sampled_from(["fail", "pass", "warn"])
LEVELS = {"fail": "error", "warn": "warning", "pass": "notice"}


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A command, its properties and its message: the first `::` after the opening one ends the properties."""
    assert line.startswith("::")
    head, ends, data = line[2:].partition("::")
    assert ends
    command, _, rest = head.partition(" ")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    properties = {key: unescaped(value, {"%3A": ":", "%2C": ","}) for key, _, value in pairs}
    return command, properties, unescaped(data, {})


def unescaped(text: str, more: dict[str, str]) -> str:
    known = {"%0D": "\r", "%0A": "\n", "%25": "%"} | more
    return re.sub("|".join(known), lambda found: known[found[0]], text)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(judgement=..., inconclusive=ways)
def test_a_line_is_one_command_whatever_names_and_reasons_hold(
    judgement: Judgement, inconclusive: Inconclusive
) -> None:
    found = github.annotations(judgement, inconclusive)
    for line in found:
        line.encode()
        assert len(line.splitlines()) == 1
        command, properties, _ = parsed(line)
        assert command in ("error", "warning", "notice")
        assert list(properties) == ["title"]
        assert not re.search("[\x00\x1b\x85\u2028\u202e\u200f]", line)
    levels = Counter(parsed(line)[0] for line in found)
    verdicts = Counter(one.verdict for one in judgement.verdicts)
    expected = Counter(error=verdicts["fail"] + verdicts["invalid"])
    expected[LEVELS[inconclusive]] += verdicts["inconclusive"]
    assert all(levels[level] >= min(10, n) for level, n in expected.items())
    assert (levels["error"] > 0) == (expected["error"] > 0)


def test_escapes_are_those_of_githubs_toolkit(judgement: Judgement) -> None:
    one = replace(
        judgement.verdicts[-1],
        gate="50 %, or: less",
        because="100 %\r\nof\na: b, c",
        subject="s",
        value=None,
        n=None,
    )
    (line,) = github.annotations(replace(judgement, verdicts=(one,), remarks=()), "warn")
    assert line == (
        "::error title=50 %25%2C or%3A less failed::s on instructions, ROUGE-L: 100 %25%0D%0Aof%0Aa: b, c"
    )


def test_what_did_not_pass_is_told_worst_first_with_the_gates_of_too_few_samples(
    judgement: Judgement,
) -> None:
    told = [parsed(line) for line in github.annotations(judgement, "warn")]
    assert [(level, properties["title"]) for level, properties, _ in told] == [
        ("error", "max_drop 1.0 failed"),
        ("error", "max_train_seconds 60 is invalid"),
        ("warning", "no broken class is inconclusive"),
        ("warning", "Gate with too few samples"),
        ("notice", "Gates"),
    ]
    assert told[3][2].startswith("max_drop 1.0 needs n ≥ 1,600 here: with n = 800")


@pytest.mark.parametrize("inconclusive", ["fail", "pass", "warn"])
def test_what_cannot_tell_is_what_the_caller_wants(judgement: Judgement, inconclusive: Inconclusive) -> None:
    only = replace(judgement, verdicts=judgement.verdicts[1:2], remarks=())
    (line,) = github.annotations(only, inconclusive)
    assert parsed(line)[0] == LEVELS[inconclusive]


def test_all_passed_says_nothing(judgement: Judgement) -> None:
    passed = replace(judgement.verdicts[0], pass_probability_if_equal=0.9)
    assert github.annotations(replace(judgement, verdicts=(passed,), remarks=()), "fail") == []


@pytest.mark.slow
def test_what_github_would_drop_is_counted(judgement: Judgement) -> None:
    """It shows ten of a level for a step."""
    many = replace(judgement, verdicts=judgement.verdicts[-1:] * 10_000)
    lines = [line for line in github.annotations(many, "warn") if line.startswith("::error")]
    assert len(lines) == 10
    assert parsed(lines[-1])[2].startswith("9,991 more")


@pytest.mark.nightly
@settings(deadline=None, max_examples=20)
@given(judgement=..., times=st.sampled_from([1, 300]))
def test_the_summary_is_the_comment_without_a_marker_and_fits(judgement: Judgement, times: int) -> None:
    many = replace(judgement, verdicts=judgement.verdicts * times, regressions=judgement.regressions * times)
    text = github.summary(many)
    assert len(text.encode()) < 1024 * 1024
    short = comment.render(many, marker=None)
    assert text == short or len(text) > len(short)
