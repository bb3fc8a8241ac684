import pytest

from harness.errors import UnknownName
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
    assert trivial.answer(rule, Sample(id="1", input=text, references=("x",))) == expected


def test_every_rule_is_known():
    for rule in trivial.RULES:
        assert trivial.answer(rule, Sample(id="1", input="a", references=("x",))) == "a"


def test_an_unknown_rule_names_the_near_one():
    with pytest.raises(UnknownName, match="did you mean 'lead-3'"):
        trivial.answer("lead3", Sample(id="1", input="a", references=("x",)))
