"""Verdicts on a terminal, and the words that all their readers share."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from harness.report import verdict_table, verdicts
from harness.report.verdicts import Inconclusive
from harness.types import Judgement, Verdict, Word

ways = st.sampled_from(["fail", "pass", "warn"])


def printed(
    judgement: Judgement, inconclusive: Inconclusive = "warn", width: int = 120, *, colour: bool = False
) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    verdict_table.show(judgement, console, inconclusive)
    return out.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def test_rows_stand_worst_first_with_a_reason_under_what_did_not_pass(judgement: Judgement) -> None:
    lines = [re.sub(" {2,}", "  ", line.rstrip()) for line in printed(judgement, width=200).splitlines()]
    assert lines == [
        "verdict  gate  judged  measured  limit  n",
        "fail  max_drop  llama2-tiny + quickstart on instructions, ROUGE-L  −2.41 [−3.52, −1.33]  1.0  800",
        "  fell by 2.41 [1.33, 3.52], more than 1.0",
        "invalid  max_train_seconds  falcon-tiny + quickstart  1 min 11 s  60",
        "  measured on '2 cores', agreed on 'NVIDIA*'; train it there",
        "inconclusive  no broken class  llama2-tiny + quickstart on dialogues, ROUGE-L  6.2 [4.6, 8.1]"
        "  max_worse_samples 5 % by more than 20  800",
        "  6.2 % of samples fell by more than 20, 5 % may; about 2,100 samples would decide",
        "pass  max_drop  llama2-tiny + quickstart on dialogues, ROUGE-L  +0.31 [−0.40, +1.00]  1.0  800",
        "Few samples: max_drop 1.0 needs n ≥ 1,600 here: with n = 800 an adapter with no true drop passes 70 times"
        " in 100 (llama2-tiny + quickstart on dialogues, ROUGE-L)",
        "Note: baseline made with torch 2.13.0, here 2.14.0",
        "ci: 1 of 4 gates failed, 1 is invalid, 1 is inconclusive, 1 passed; inconclusive gates only warn",
    ]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_every_width_holds_every_number(judgement: Judgement, width: int) -> None:
    text = printed(judgement, width=width)
    assert max(map(len, text.splitlines())) <= width
    joined = " ".join(text.split())
    for number in ("−2.41", "−3.52,", "1 min 11 s", "+0.31", "800", "1,600"):
        assert number in joined
    for word in ("fail", "invalid", "inconclusive", "pass"):
        assert re.search(rf"^{word}\b", text, re.MULTILINE)


def test_words_are_coloured_on_a_terminal_and_plain_where_it_is_piped(judgement: Judgement) -> None:
    coloured = printed(judgement, colour=True)
    assert "\x1b[1;31mfail" in coloured
    assert "\x1b[32mpass" in coloured
    assert "\x1b[1;33minconclusive" in coloured
    assert "\x1b[1;31minconclusive" in printed(judgement, "fail", colour=True)
    assert "\x1b" not in printed(judgement)


def test_ten_thousand_verdicts_are_two_hundred_rows_and_counts(judgement: Judgement) -> None:
    passed, unsure, invalid, failed = judgement.verdicts
    many = replace(judgement, verdicts=(passed,) * 9_850 + (failed,) * 60 + (unsure,) * 60 + (invalid,) * 30)
    text = printed(many)
    rows = re.findall(r"^(fail|invalid|inconclusive|pass) ", text, re.MULTILINE)
    assert [rows.count(word) for word in ("fail", "invalid", "inconclusive", "pass")] == [60, 30, 60, 50]
    assert "and 9,800 more: 9,800 passed" in text
    many = replace(judgement, verdicts=(failed,) * 7_000 + (passed,) * 3_000)
    text = printed(many)
    assert len(re.findall("^fail ", text, re.MULTILINE)) == 200
    assert "and 9,800 more: 6,800 failed, 3,000 passed" in text


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(judgement=..., inconclusive=ways, width=st.sampled_from([30, 80, 160]))
def test_hostile_names_are_text_and_give_no_orders(
    judgement: Judgement, inconclusive: Inconclusive, width: int
) -> None:
    text = printed(judgement, inconclusive, width)
    text.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\u200f]", text)
    assert not any(
        line.lstrip().startswith("::") for line in text.splitlines()
    )  # a command of GitHub's runner
    assert "##[" not in text


def test_markup_and_emoji_of_names_are_text(judgement: Judgement) -> None:
    one = replace(judgement.verdicts[-1], gate="[bold]x[/] :smile:", because="[link=http://x]y[/link] :fire:")
    text = printed(replace(judgement, verdicts=(one,)))
    assert "[bold]x[/] :smile:" in text
    assert "[link=http://x]y[/link] :fire:" in text


def test_no_verdict_is_said(judgement: Judgement) -> None:
    assert printed(Judgement(name="ci", verdicts=())) == "ci: No gate was judged\n"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "No gate was judged"),
        (["pass"], "The gate passed"),
        (["pass"] * 9, "All 9 gates passed"),
        (["fail"], "The gate failed"),
        (["pass"] * 6 + ["inconclusive", "fail", "fail"], "2 of 9 gates failed, 1 is inconclusive, 6 passed"),
        (["invalid", "pass"], "1 of 2 gates is invalid, 1 passed"),
        (["invalid", "invalid", "fail"], "1 of 3 gates failed, 2 are invalid"),
        (["inconclusive"] * 1200, "1,200 of 1,200 gates are inconclusive"),
    ],
)
def test_the_answer_counts_the_worst_first(judgement: Judgement, found: list[Word], said: str) -> None:
    given = tuple(replace(judgement.verdicts[0], verdict=word) for word in found)
    assert verdicts.answer(replace(judgement, verdicts=given)) == said


@pytest.mark.parametrize(
    ("rule", "value", "low", "high", "said"),
    [
        ("max_drop", -1.04, -1.5, 0.0, "−1.04 [−1.50, 0.00]"),
        ("must_beat", 2.0, None, None, "+2.00"),
        ("max_relative_drop", -3.456, -5.0, 1.0, "−3.46 % [−5.00 %, +1.00 %]"),
        ("min_value", 41.234, 40.0, 42.0, "41.23 [40.00, 42.00]"),
        ("max_worse_samples", 7.0, None, None, "7"),
        ("max_worse_samples", 6.25, 4.6, 8.0, "6.2 [4.6, 8]"),
        ("min_tokens_per_second", 1234.5, None, None, "1.2 k tokens/s"),
        ("max_adapter_megabytes", 13.2, None, None, "13 MB"),
        ("max_train_seconds", 71.2, None, None, "1 min 11 s"),
        ("max_delta_ratio", 0.08349, None, None, "0.083"),
        ("alpha_within", 3.456, None, None, "3.46"),
        ("max_intruder_dimensions", 3.0, None, None, "3"),
        ("max_train_seconds", float("inf"), None, None, "inf"),
        ("a rule of tomorrow", 1.0, None, None, "1.00"),
        ("max_drop", None, None, None, ""),
    ],
)
def test_what_was_measured_is_said_in_the_rules_unit(
    judgement: Judgement, rule: str, value: float | None, low: float | None, high: float | None, said: str
) -> None:
    one = replace(judgement.verdicts[0], rule=rule, value=value, low=low, high=high)
    assert verdicts.measured(one).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(
    ("name", "rule", "limit", "gate", "demand"),
    [
        ("max_drop 1.0", "max_drop", None, "max_drop", "1.0"),
        ("max_drop 1.0", "max_drop", "1.0", "max_drop", "1.0"),
        ("must_beat", "must_beat", None, "must_beat", ""),
        ("quality", "max_drop", "1.0", "quality", "max_drop 1.0"),
        ("quality", "max_drop", None, "quality", "max_drop"),
        ("max_drops", "max_drop", "1.0", "max_drops", "max_drop 1.0"),
    ],
)
def test_a_gate_is_told_by_its_name_and_what_it_asks(
    judgement: Judgement, name: str, rule: str, limit: str | None, gate: str, demand: str
) -> None:
    one = replace(judgement.verdicts[0], gate=name, rule=rule, limit=limit)
    assert (verdicts.gate(one), verdicts.limit(one)) == (gate, demand)


def weak(one: Verdict, **said: object) -> Verdict:
    return replace(one, **{"pass_probability_if_equal": 0.7, "samples_for_80_percent": 1600, **said})  # type: ignore[arg-type]


def test_one_warning_speaks_for_all_systems_of_a_gate_and_does_not_round_up(judgement: Judgement) -> None:
    one = judgement.verdicts[0]
    group = (
        weak(one),
        weak(one, subject="other", pass_probability_if_equal=0.5),
        weak(one, metric="bleu", pass_probability_if_equal=0.7999),
    )
    said = verdicts.warnings(replace(judgement, verdicts=(*group, weak(one, pass_probability_if_equal=0.8))))
    assert said == [
        "max_drop 1.0 needs n ≥ 1,600 here: with n = 800 an adapter with no true drop passes 50 times in 100"
        " (other on dialogues, ROUGE-L and 1 other)",
        "max_drop 1.0 needs n ≥ 1,600 here: with n = 800 an adapter with no true drop passes 79 times in 100"
        " (llama2-tiny + quickstart on dialogues, BLEU)",
    ]


def test_a_gate_that_no_number_of_samples_would_help_is_too_strict(judgement: Judgement) -> None:
    (said,) = verdicts.warnings(
        replace(judgement, verdicts=(weak(judgement.verdicts[0], samples_for_80_percent=None),))
    )
    assert said.startswith("max_drop 1.0 is too strict here: with n = 800")
