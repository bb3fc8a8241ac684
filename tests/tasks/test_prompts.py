"""Sample to prompt; and what goes when a prompt is too long."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from harness.errors import SuiteError, UnknownName
from harness.tasks.prompts import check, fields, fit, render, shorten, with_answer
from harness.types import Prompt, Sample, Source, Task

TASK = Task(
    name="chats",
    source=Source(uri="file:chats.csv", columns={"id": "id", "input": "dialogue", "reference": "summary"}),
    prompt="Sum up ($tone): $input\n\nFor $$5:",
    metrics=("rouge",),
    primary="rougeL",
)
SAMPLE = Sample(
    id="7", input="A: hi {x} $input ${y} $$\nB: ho", references=("they greet",), metadata={"tone": "dry {$z}"}
)


def test_dollars_and_braces_in_the_data_stay_as_they_are() -> None:
    prompt = render(TASK, SAMPLE)
    assert prompt.text == "Sum up (dry {$z}): A: hi {x} $input ${y} $$\nB: ho\n\nFor $5:"
    assert prompt.input == SAMPLE.input
    assert prompt.sample_id == "7"


@pytest.mark.slow
@given(some.text(), some.text())
def test_any_text_comes_through(said: str, tone: str) -> None:
    prompt = render(TASK, replace(SAMPLE, input=said, metadata={"tone": tone}))
    assert (prompt.before, prompt.input, prompt.after) == (f"Sum up ({tone}): ", said, "\n\nFor $5:")


def test_braced_names_and_the_id() -> None:
    assert (
        render(replace(TASK, prompt="${id}|${input}|${tone}s"), SAMPLE).text
        == f"7|{SAMPLE.input}|dry {{$z}}s"
    )


def test_an_escaped_input_is_text() -> None:
    assert render(replace(TASK, prompt="$$input is $input"), replace(SAMPLE, input="x")).text == "$input is x"


def test_shots_stand_before_the_prompt_and_are_never_shortened() -> None:
    task = replace(TASK, prompt="Q: $input\nA:")
    shots = [
        Sample(id="1", input="one", references=("1", "i")),
        Sample(id="2", input="two", references=("2",)),
    ]
    prompt = render(task, replace(SAMPLE, input="three"), shots)
    assert prompt.text == "Q: one\nA: 1\n\nQ: two\nA: 2\n\nQ: three\nA:"
    assert prompt.before == "Q: one\nA: 1\n\nQ: two\nA: 2\n\nQ: "


def test_an_answer_is_parted_from_its_prompt_once() -> None:
    assert with_answer("A:", "yes") == "A: yes"
    assert with_answer("A:\n", "yes") == "A:\nyes"
    assert with_answer("", "yes") == " yes"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Sum up", "task 'chats': prompt: $input occurs 0 times"),
        ("$input $input", "$input occurs 2 times"),
        ("$input ${input}", "$input occurs 2 times"),
        ("$$input", "$input occurs 0 times"),
        ("$input costs 5 $", "a lone '$' in '$input costs 5 $'; write '$$' for a dollar"),
        ("$input ${to ne}", "a lone '$'"),
        ("$input $summary", "$summary is the reference answer, which a prompt must not show"),
        ("$input $dialogue", "no column named 'dialogue'"),
        ("$input $tune", "no column named 'tune'; did you mean 'tone'"),
    ],
)
def test_a_prompt_that_cannot_be_rendered_is_refused(template: str, message: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(message)):
        check(replace(TASK, prompt=template), ("id", "dialogue", "summary", "tone"))


def test_sound_prompts_pass() -> None:
    check(TASK)
    check(TASK, ("id", "dialogue", "summary", "tone"), "suites/a.yaml:3: prompt")
    check(replace(TASK, prompt="$id $input"), ("id", "dialogue", "summary"))
    assert fields("$a ${b} $$c $a") == ("a", "b")


def test_a_column_that_one_sample_lacks_is_named() -> None:
    with pytest.raises(UnknownName, match="prompt of sample '7': no column named 'tone'"):
        render(TASK, replace(SAMPLE, metadata={"ton": "dry"}))


PROMPT = Prompt(sample_id="7", before="Sum up: ", input="one two three four", after="\n\nSummary:")
SPANS = [(0, 3), (3, 7), (7, 13), (13, 18)]


@pytest.mark.parametrize(
    ("excess", "keep", "left"),
    [
        (0, "keep-start", "one two three four"),
        (1, "keep-start", "one two three"),
        (2, "keep-start", "one two"),
        (4, "keep-start", ""),
        (9, "keep-start", ""),
        (1, "keep-end", " two three four"),
        (3, "keep-end", " four"),
        (9, "keep-end", ""),
    ],
)
def test_only_the_input_is_shortened(excess: int, keep: str, left: str) -> None:
    shorter = shorten(PROMPT, excess, SPANS, keep)  # type: ignore[arg-type]
    assert shorter == replace(PROMPT, input=left)


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+\s*", text)]


def count(prompt: Prompt) -> int:
    return len(words(prompt.text))


@given(
    some.text(alphabet="ab \n", max_size=60),
    some.integers(0, 30),
    some.sampled_from(["keep-start", "keep-end"]),
)
def test_what_fits_is_the_most_that_fits(said: str, budget: int, keep: str) -> None:
    prompt = replace(PROMPT, input=said)
    fitted = fit(prompt, budget, count, words, keep)  # type: ignore[arg-type]
    if fitted is None:
        assert count(replace(prompt, input="")) > budget
        return
    assert count(fitted) <= budget
    assert said.startswith(fitted.input) if keep == "keep-start" else said.endswith(fitted.input)
    assert (fitted.before, fitted.after) == (prompt.before, prompt.after)
    assert fitted == prompt or count(fitted) == budget or fitted.input.strip() == ""


def test_what_must_not_be_shortened_is_refused() -> None:
    assert fit(PROMPT, 6, count, words, "refuse") is None
    assert fit(PROMPT, 7, count, words, "refuse") == PROMPT


def test_a_tokenizer_with_empty_spans_does_not_hang() -> None:
    fitted = fit(PROMPT, 5, count, lambda text: [*words(text), (len(text), len(text))], "keep-start")
    assert fitted is not None
    assert fitted.input.strip() == "one two"
