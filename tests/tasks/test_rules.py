import pytest

from harness.errors import DataError, UnknownName
from harness.tasks import rules as trivial
from harness.types import Sample


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("copy", " as\nit is ", " as\nit is "),
        (
            "lead-3",
            "Ann: Hi\r\nBob: Hey. You ok?\n\nAnn: Yes\nBob: Bye",
            "Ann: Hi\nBob: Hey. You ok?\nAnn: Yes",
        ),
        ("lead-3", "One. Two! Three? Four.", "One. Two! Three?"),
        ("lead-3", "It cost 3.50 in all. Fine.\n", "It cost 3.50 in all. Fine."),
        ("lead-3", "no end", "no end"),
        ("lead-3", "", ""),
    ],
)
def test_rules_answer_without_a_model(rule, text, expected):
    assert trivial.prepared(rule)(Sample(id="1", input=text, references=("x",))) == expected


def test_every_rule_answers():
    training = [Sample(id=str(n), input="", references=(text,)) for n, text in enumerate("3312")]
    sample = Sample(id="1", input="a", references=("x",), choices=("b", "longer"))
    wanted = {"copy": "a", "lead-3": "a", "majority": "3", "mean": "2.25", "longest": "longer"}
    assert {rule: trivial.prepared(rule, training)(sample) for rule in trivial.RULES} == wanted


def test_of_labels_that_are_equally_frequent_the_first_in_the_alphabet_is_the_majority():
    training = [Sample(id=str(n), input="", references=(text,)) for n, text in enumerate("yxyx")]
    assert trivial.prepared("majority", training)(training[0]) == "x"


def test_a_mean_of_labels_is_refused():
    with pytest.raises(DataError, match=r"training sample '0': the reference 'good' is not a number"):
        trivial.prepared("mean", [Sample(id="0", input="", references=("good",))])


def test_a_mean_reads_the_numbers_that_the_metrics_read():
    """A minus sign is one, and an underline within digits is none."""
    training = [Sample(id=str(n), input="", references=(text,)) for n, text in enumerate(("\u22123", "1"))]
    assert trivial.prepared("mean", training)(training[0]) == "-1"
    for text in ("1_000", "nan", "1e200"):
        with pytest.raises(DataError, match="training sample '0': the reference"):
            trivial.prepared("mean", [Sample(id="0", input="", references=(text,))])


def test_an_unknown_rule_names_the_near_one():
    with pytest.raises(UnknownName, match="did you mean 'lead-3'"):
        trivial.prepared("lead3")
