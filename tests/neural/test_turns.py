"""A conversation is read by a model as its chat template, or the names of the speakers, write it: in training and after."""

from dataclasses import replace

import pytest
import torch

from harness.neural import objectives
from harness.neural.encode import encode, pair, prompt_ids, prompt_text
from harness.neural.load import Base
from harness.neural.objectives import Example
from harness.neural.objectives.answers import AnswersSettings, Conversation
from harness.types import Prompt, Recipe, Turn
from tests.neural.test_encode import CHAT, chatty

TALK = Prompt(
    sample_id="talk",
    before="",
    input="Who comes to dinner?",
    after="",
    system="You answer about trains.",
    turns=(
        Turn(role="user", text="Can Ben come? " * 9),
        Turn(role="assistant", text="No, he is late."),
        Turn(role="user", text="And Anna?"),
        Turn(role="assistant", text="Yes, on Monday."),
    ),
)


def by_transformers(base: Base, *left_out: str) -> str:
    assert TALK.turns is not None
    turns = [("system", TALK.system), *((turn.role, turn.text) for turn in TALK.turns), ("user", TALK.input)]
    chat = [{"role": role, "content": text} for role, text in turns if text not in left_out]
    return str(base.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def test_turns_go_through_the_template_as_transformers_puts_them(llama: Base) -> None:
    base = chatty(llama, with_bos=True)
    assert prompt_text(base, TALK) == by_transformers(base)


def test_without_a_template_the_speakers_are_named(llama: Base) -> None:
    assert prompt_text(llama, TALK) == TALK.text
    assert TALK.text.startswith("You answer about trains.\n\nUser: Can Ben")
    assert TALK.text.endswith("User: Who comes to dinner?\nAssistant:")


@pytest.mark.parametrize("chat", [True, False])
def test_training_reads_the_ids_that_the_model_is_asked_with(llama: Base, chat: bool) -> None:
    base = chatty(llama, with_bos=True) if chat else llama
    asked, learnt = encode(base, TALK, "keep-start", None), pair(base, TALK, "Anna", "keep-start", 1000)
    assert asked is not None and learnt is not None
    assert learnt.prompt == asked.ids
    whole = base.tokenizer.decode(learnt.prompt + learnt.answer, skip_special_tokens=True)
    assert whole.endswith("[answer]Anna" if chat else "Assistant: Anna")


def test_a_long_conversation_loses_its_oldest_turns(llama: Base) -> None:
    base = chatty(llama, with_bos=True)
    assert TALK.turns is not None
    whole = encode(base, TALK, "keep-start", None)
    assert whole is not None
    encoded = encode(base, TALK, "keep-start", len(whole.ids) - 1)
    assert encoded is not None
    assert encoded.text == by_transformers(base, TALK.turns[0].text, TALK.turns[1].text)
    assert encoded.truncated_tokens == len(whole.ids) - len(encoded.ids)
    assert encode(base, TALK, "refuse", len(whole.ids) - 1) is None


@pytest.mark.parametrize(
    "template",
    [
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT,
        CHAT.replace(
            "{% for message in messages %}", "{% for message in messages if message.role != 'system' %}"
        ),
    ],
    ids=["refuses", "leaves out"],
)
def test_a_system_text_without_a_role_stands_before_the_first_turn(llama: Base, template: str) -> None:
    base = chatty(llama, with_bos=True)
    base.tokenizer.chat_template = template
    text = prompt_text(base, replace(TALK, turns=None))
    assert text == "[user] You answer about trains.\n\nWho comes to dinner? [end] [answer]"
    assert prompt_ids(base, text)[0] == base.tokenizer.bos_token_id


def test_all_answers_of_a_conversation_are_learned_as_they_are_asked(llama: Base) -> None:
    """`turns: all` has the loss of each answer of the assistant behind the prompt that the model is asked with then."""
    objective = objectives.find("answers")
    base = chatty(llama, with_bos=True)
    example = Example(id="talk", prompt=TALK, answer="Anna")
    every, usual, last = (
        objective.encode(base, example, Recipe(name="r", steps=1, objective=said))
        for said in (
            {"name": "answers", "turns": "all"},
            {"name": "auto"},
            {"name": "answers", "turns": "last"},
        )
    )
    assert isinstance(every, Conversation) and usual == last == every.answers[-1]
    assert TALK.turns is not None
    wanted = [
        (replace(TALK, turns=(), input=TALK.turns[0].text), "No, he is late."),
        (replace(TALK, turns=TALK.turns[:2], input="And Anna?"), "Yes, on Monday."),
        (TALK, "Anna"),
    ]
    for row, (prompt, answer) in zip(every.answers, wanted, strict=True):
        asked = encode(base, prompt, "keep-start", None)
        assert asked is not None and row.prompt == asked.ids
        assert row == pair(base, prompt, answer, "keep-start", 1024)
    assert objective.weight(every) == sum(len(row.answer) for row in every.answers)
    settings = AnswersSettings(turns="all")
    alone = [objective.loss(base, [row], settings, base.model, None).item() for row in every.answers]
    together = objective.loss(base, [every], settings, base.model, None).item()
    assert together == pytest.approx(sum(alone), rel=1e-5)  # float32, rows of other lengths beside them


def test_a_conversation_in_one_row_has_the_same_loss(llama: Base) -> None:
    """Where a turn ends as an answer does, the rows of `turns: all` are one row with several answers, as others train it."""
    base = chatty(llama, with_bos=True)
    base.tokenizer.chat_template = (
        "{{ bos_token }}{% for message in messages %}{% if message.role == 'assistant' %}[answer]{{ message.content }}</s>"
        "{% else %}[{{ message.role }}] {{ message.content }} {% endif %}{% endfor %}[answer]"
    )
    objective = objectives.find("answers")
    said = Recipe(name="r", steps=1, objective={"name": "answers", "turns": "all"})
    item = objective.encode(base, Example(id="talk", prompt=TALK, answer="Anna"), said)
    assert isinstance(item, Conversation)
    whole = item.answers[-1].prompt + item.answers[-1].answer
    wanted = 0.0
    with torch.no_grad():
        found = torch.log_softmax(base.model(input_ids=torch.tensor([whole])).logits[0].double(), dim=1)
    for row in item.answers:
        assert whole[: row.tokens] == row.prompt + row.answer
        wanted -= sum(float(found[at - 1, whole[at]]) for at in range(len(row.prompt), row.tokens))
    together = objective.loss(base, [item], AnswersSettings(turns="all"), base.model, None).item()
    assert together == pytest.approx(wanted, rel=1e-5)
