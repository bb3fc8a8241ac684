"""The public test double answers by rule, counts words, and fails where it is told to."""

from pathlib import Path

import pytest

from harness.backends import OpenBackend, open_backend
from harness.digest import text_digest
from harness.errors import StepError, UnknownName
from harness.types import Decode, Model, ModelPin, Prompt, Runtime

PIN = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
TEXT = "Anna: We meet at nine.\nBen: Fine."


def echo(rule: str) -> OpenBackend:
    return open_backend(Model(name="double", uri=f"echo:{rule}"), PIN, Runtime())


def ask(
    rule: str, decode: Decode | None = None, adapter: Path | None = None, done: tuple[str, ...] = ()
) -> dict[str, str]:
    prompts = [Prompt(sample_id=name, before="Say: ", input=TEXT, after=" So:") for name in ("a", "b")]
    answers = echo(rule).write(prompts, decode or Decode(), "keep-start", adapter, done)
    return {answer.sample_id: answer.text for answer in answers}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("copy", TEXT),
        ("first-line", "Anna: We meet at nine."),
        ("upper", "ANNA: WE MEET AT NINE.\nBEN: FINE."),
        ("empty", ""),
        ("crash-on-z", TEXT),
    ],
)
def test_a_rule_gives_its_answer(rule: str, expected: str) -> None:
    assert ask(rule) == {"a": expected, "b": expected}


def test_stop_strings_and_limits_hold_and_words_are_counted() -> None:
    assert ask("copy", Decode(stop=("\n",)))["a"] == "Anna: We meet at nine."
    assert ask("copy", Decode(max_new_tokens=2))["a"] == "Anna: We"
    prompt = Prompt(sample_id="a", before="Say: ", input=TEXT, after=" So:")
    (answer,) = echo("copy").write([prompt], Decode(max_new_tokens=2), "keep-start", None)
    assert (answer.prompt_tokens, answer.output_tokens, answer.finish) == (9, 2, "length")
    assert answer.prompt_digest == text_digest(prompt.text)


def test_leading_whitespace_is_dropped_before_stop_strings_apply_unless_the_task_keeps_it() -> None:
    prompt = Prompt(sample_id="a", before="", input="\n\n Anna.\nBen.", after="")
    for setting, expected in (("drop", "Anna."), ("keep", "")):
        decode = Decode(stop=("\n",), leading_whitespace=setting)  # type: ignore[arg-type]
        (answer,) = echo("copy").write([prompt], decode, "keep-start", None)
        assert answer.text == expected


def test_an_adapter_marks_the_answer() -> None:
    assert ask("first-line", adapter=Path("any"))["a"] == "+Anna: We meet at nine."


def test_what_is_done_is_left_out() -> None:
    assert list(ask("copy", done=("a",))) == ["b"]


def test_it_fails_where_it_is_told_to() -> None:
    with pytest.raises(StepError, match="sample b"):
        ask("crash-on-b")


def test_an_unknown_rule_answers_with_the_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"echo:uper: no echo rule named 'uper'; did you mean 'upper'\?"):
        echo("uper")


def test_an_unknown_scheme_answers_with_the_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"no backend named 'ehco'.* did you mean 'echo'\?"):
        open_backend(Model(name="m", uri="ehco:copy"), PIN, Runtime())
