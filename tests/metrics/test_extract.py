import pytest

from harness.errors import DataError, SuiteError
from harness.metrics import load
from harness.tasks.extracts import as_decimal, numbers
from harness.types import Generation, Sample


def judge(name, answer, *references):
    metric = load(name)
    sample = Sample(id="s", input="", references=references)
    row = metric.row(sample, Generation(sample_id="s", text=answer))
    missing = metric.cautions[0].holds(sample, Generation(sample_id="s", text=answer))
    return row[0], missing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16 - 3 - 4 = 9 eggs, $2 each", ["16", "3", "4", "9", "$2"]),
        ("10-5", ["10", "5"]),  # an operator, not a sign
        ("(-3) and \N{MINUS SIGN}4.5", ["-3", "\N{MINUS SIGN}4.5"]),
        ("1,200,000.25 or 12,34", ["1,200,000.25", "12", "34"]),
        (".5 of 3.", [".5", "3"]),
        ("6e-3", ["6e-3"]),
        ("none", []),
    ],
)
def test_numbers_are_found_as_they_are_written(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1,200", "1200.0", True),
        ("$18", "18.00", True),
        ("50%", "50", True),
        ("0.1", "0.10000000000000001", False),  # as numbers, not as float64
        ("\N{MINUS SIGN}3", "-3", True),
        ("1e3", "1000", True),
    ],
)
def test_numbers_are_equal_as_numbers(one, other, equal):
    assert (as_decimal(one) == as_decimal(other)) is equal


@pytest.mark.parametrize("text", ["", "three", "nan", "inf", "1_000", "9" * 500])
def test_what_is_no_number_is_none(text):
    assert as_decimal(text) is None


@pytest.mark.parametrize(
    ("name", "answer", "reference", "hit"),
    [
        ("extract", "9 * 2 = 18\n#### 18", "Janet sells 9 eggs.\n#### 18", 1),  # GSM8K
        ("extract", "She makes $18 every day at the market.", "… #### 18", 1),
        (
            "extract",
            "The answer is 1,200. That is 4 more.",
            "1200.0",
            1,
        ),  # what is marked goes before the last
        ("extract", "the final answer is: -7", "-7", 1),
        ("extract", "Answer: **42**", "42", 1),
        ("extract", "Answer: 3\nNo, wait. Answer: 5", "5", 1),
        ("extract(which=first)", "Answer: 3\nNo, wait. Answer: 5", "5", 0),
        ("extract(which=first)", "3 and 5", "3", 1),
        ("extract", "The answer is unclear, perhaps 6", "6", 1),  # no number after the mark: the last one
        ("extract", "18.5", "18", 0),
        ("extract(kind=text)", "Oslo is a capital.\nThe answer is Oslo.", "Oslo", 1),
        ("extract(kind=text)", "Let me think.\nOslo", "Oslo", 1),
        ("extract(kind=text)", "Oslo\nthat is it", "Oslo", 0),
        (r'extract(pattern="<a>(.*?)</a>")', "<a>6</a> <a>7</a> 9", "7", 1),
        (r'extract(pattern="<a>(.*?)</a>",which=first)', "<a>6</a> <a>7</a> 9", "6", 1),
        (r'extract(kind=text,pattern="\\b[A-D]\\b")', "So it is B", "B", 1),
    ],
)
def test_the_result_is_found_and_compared(name, answer, reference, hit):
    assert judge(name, answer, reference) == (hit, False)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("extract", "no idea"), ("extract(kind=text)", " \n"), ('extract(pattern="<a>(.*)</a>")', "12")],
)
def test_an_answer_without_a_result_is_a_miss_and_counted(name, answer):
    assert judge(name, answer, "12") == (0, True)


def test_of_several_references_any_is_right():
    assert judge("extract", "5", "4", "5")[0] == 1


def test_a_reference_without_a_number_is_refused():
    with pytest.raises(
        DataError, match="sample 's': no number in the reference 'Oslo'; correct it, or say `kind: text`"
    ):
        judge("extract", "5", "Oslo")


def test_a_pattern_that_is_none_is_refused_when_it_is_loaded():
    with pytest.raises(SuiteError, match=r"extract: pattern: found '\(', which is no regular expression"):
        load('extract(pattern="(")')


def test_a_pattern_that_hangs_is_ended_and_named():
    with pytest.raises(
        SuiteError, match="took more than 1 s on the answer to sample 's'; avoid nested repetitions"
    ):
        judge('extract(pattern="(a+)+$")', "a" * 60 + "b", "12")
    assert judge('extract(pattern="a+")', "aa", "12") == (0, True)  # the next one is searched


def test_settings_are_in_the_signature():
    signature = load('extract(pattern="a|b",which=first)').signature
    assert signature == "extract|kind:number|which:first|pattern:'a\\x7cb'|nrefs:var|refs:any|version:1"
