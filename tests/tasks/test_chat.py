"""Turns before a prompt reach a model with or without a chat template, and the oldest of them go first."""

from dataclasses import replace

import pytest

from harness.tasks import chat
from harness.tasks.overlap import overlap
from harness.tasks.prompts import fit, render
from harness.types import Prompt, Sample, Source, Task, Turn

TASK = Task(name="t", source=Source(uri="file:x"), prompt="Q: $input", metrics=("exact",), primary="exact")


def user(text: str) -> Turn:
    return Turn(role="user", text=text)


def model(text: str) -> Turn:
    return Turn(role="assistant", text=text)


GUIDE = Turn(role="system", text="You are a guide.")
SAMPLE = Sample(id="7", input="Where?", references=("There.",), turns=(GUIDE, user("Hello"), model("Hi!")))
SHOT = Sample(id="1", input="When?", references=("Now.",), turns=(user("Ahoy"), model("Aye")))


def test_a_conversation_is_turns_for_a_template_and_named_lines_for_a_model_without_one() -> None:
    prompt = render(TASK, SAMPLE)
    assert chat.messages(prompt) == (GUIDE, user("Hello"), model("Hi!"), user("Q: Where?"))
    assert prompt.text == "You are a guide.\n\nUser: Hello\nAssistant: Hi!\nUser: Q: Where?\nAssistant:"
    assert (prompt.input, prompt.own) == ("Where?", "Q: Where?")


def test_a_conversation_of_one_turn_is_one_too_and_another_prompt_is_none() -> None:
    alone = replace(SAMPLE, turns=())
    assert render(TASK, alone).text == "User: Q: Where?\nAssistant:"
    assert chat.messages(render(TASK, alone)) == (user("Q: Where?"),)
    assert render(TASK, replace(SAMPLE, turns=None)).text == "Q: Where?"


def test_a_template_without_a_system_role_gets_the_text_before_the_first_turn() -> None:
    found = chat.messages(render(TASK, SAMPLE), system_role=False)
    assert found == (user("You are a guide.\n\nHello"), model("Hi!"), user("Q: Where?"))


def test_examples_of_a_conversation_are_turns_and_others_are_text() -> None:
    prompt = render(TASK, SAMPLE, [SHOT])
    shown = (user("Ahoy"), model("Aye"), user("Q: When?"), model("Now."))
    assert chat.messages(prompt) == (GUIDE, *shown, user("Hello"), model("Hi!"), user("Q: Where?"))
    plain = render(TASK, replace(SAMPLE, turns=None), [replace(SHOT, turns=None)])
    assert plain.text == "Q: When? Now.\n\nQ: Where?"


def words(prompt: Prompt) -> int:
    return len(prompt.text.split())


def spans(text: str) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in range(len(text))]


@pytest.mark.parametrize(
    ("budget", "turns", "asked"),
    [
        (99, 4, "Where?"),
        (15, 4, "Where?"),
        (14, 2, "Where?"),
        (11, 2, "Where?"),
        (10, 0, "Where?"),
        (7, 0, "Where?"),  # User: Ahoy / Assistant: Aye / User: Where? / Assistant:
        (6, 0, ""),  # then the input
    ],
)
def test_the_oldest_turns_are_cut_first_and_the_examples_never(budget: int, turns: int, asked: str) -> None:
    prompt = Prompt(
        sample_id="7",
        before="",
        input="Where?",
        after="",
        examples=(user("Ahoy"), model("Aye")),
        turns=(user("one"), model("two"), user("three"), model("four")),
    )
    fitted = fit(prompt, budget, words, spans, "keep-end")
    assert fitted is not None
    assert fitted.turns is not None and prompt.turns is not None
    assert fitted.turns == prompt.turns[4 - turns :]
    assert (fitted.examples, fitted.input) == (prompt.examples, asked)
    assert words(fitted) <= budget
    assert fit(prompt, 14, words, spans, "refuse") is None
    assert fit(prompt, 4, words, spans, "keep-end") is None


def test_overlap_reads_all_turns_of_a_question() -> None:
    """Short last turns, such as "yes", are no overlap where the conversations before them differ."""
    train = [replace(SAMPLE, id="a", input="Yes", references=("x",))]
    same = replace(train[0], id="b", references=("y",))
    other = replace(same, id="c", turns=(user("Bye"), model("Wait!")))
    assert overlap(train, [same, other]).exact == ("b",)
