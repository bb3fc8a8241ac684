"""The same prompt has the same ids in training and when the model is asked; only the input is ever shortened."""

from dataclasses import replace

import pytest

from harness.errors import ModelError
from harness.neural.decode import write
from harness.neural.encode import check_chat, encode, pair
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.types import Decode, Prompt

LONG = Prompt(
    sample_id="long",
    before="Follow the instruction. Text: ",
    input="START " + "Anna will bring the red car to the garage. " * 12 + "END",
    after=" Answer:",
)
CHAT = "{% for message in messages %}[{{ message.role }}] {{ message.content }} [end] {% endfor %}[answer]"


def chatty(base: Base, *, with_bos: bool) -> Base:
    base.tokenizer.chat_template = ("{{ bos_token }}" if with_bos else "") + CHAT
    return replace(base, chat=True)


def test_a_training_example_begins_with_the_ids_that_the_model_is_asked_with(
    base: Base, prompts: list[Prompt]
) -> None:
    for prompt in prompts:
        asked = encode(base, prompt, "keep-start", None)
        learnt = pair(base, prompt, "Anna meets Ben.", "keep-start", 1000)
        assert asked is not None
        assert learnt is not None
        assert learnt.prompt == asked.ids
        assert learnt.answer[-1] == base.tokenizer.eos_token_id


def test_prompt_and_answer_together_are_the_text_of_both(base: Base, prompts: list[Prompt]) -> None:
    learnt = pair(base, prompts[3], "Anna meets Ben.", "keep-start", 1000)
    assert learnt is not None
    if base.architecture.name == "seq2seq":
        assert base.tokenizer.decode(learnt.answer, skip_special_tokens=True).strip() == "Anna meets Ben."
    else:
        whole = base.tokenizer.decode(learnt.prompt + learnt.answer, skip_special_tokens=True)
        assert whole.strip() == prompts[3].text + " Anna meets Ben."


def test_where_answer_and_prompt_would_merge_the_prompts_ids_stay(llama: Base) -> None:
    open_end = Prompt(sample_id="x", before="Question: ", input="Anna", after=" Answer: ")
    joined = llama.tokenizer(open_end.text + "Anna", add_special_tokens=False).input_ids
    asked = encode(llama, open_end, "keep-start", None)
    learnt = pair(llama, open_end, "Anna", "keep-start", 100)
    assert asked is not None
    assert learnt is not None
    assert (
        tuple(joined[: len(asked.ids) - 1]) != asked.ids[1:]
    )  # "▁Anna" is one token, "▁" at the end another
    assert learnt.prompt == asked.ids


@pytest.mark.parametrize("with_bos", [True, False])
def test_a_chat_has_exactly_one_bos(llama: Base, prompts: list[Prompt], with_bos: bool) -> None:
    encoded = encode(chatty(llama, with_bos=with_bos), prompts[0], "keep-start", None)
    assert encoded is not None
    assert encoded.ids.count(llama.tokenizer.bos_token_id) == 1
    assert encoded.ids[0] == llama.tokenizer.bos_token_id
    assert f"[user] {prompts[0].text} [end]" in encoded.text


@pytest.mark.parametrize(
    "content",
    [
        "content | trim",
        "content.split() | join('\n')",
        "content | upper",
        "content | tojson",
        "content | replace(' ', '')",
    ],
)
def test_a_chat_template_may_alter_the_space_and_case_of_a_message(llama: Base, content: str) -> None:
    base = chatty(llama, with_bos=True)
    base.tokenizer.chat_template = "<user>{{ messages[0]." + content + " }}</user>"
    check_chat(base)


def test_a_chat_template_that_does_not_end_is_refused_by_name(llama: Base, prompts: list[Prompt]) -> None:
    base = chatty(llama, with_bos=True)
    base.tokenizer.chat_template = "{{ 'a' * 10000000000 }}"
    with pytest.raises(ModelError, match=r"llama-0: its chat template .* needed more than 1 GB of memory"):
        encode(base, prompts[0], "keep-start", None)
    with pytest.raises(ModelError, match="its chat template"):
        list(write(base, prompts, Decode(), "keep-start", Budget(2000)))


def test_an_answer_in_a_chat_follows_the_template_without_a_space(llama: Base, prompts: list[Prompt]) -> None:
    learnt = pair(chatty(llama, with_bos=True), prompts[0], "Anna", "keep-start", 1000)
    assert learnt is not None
    whole = llama.tokenizer.decode(learnt.prompt + learnt.answer, skip_special_tokens=True)
    assert whole.endswith("[end] [answer]Anna")


@pytest.mark.parametrize(
    ("overflow", "kept", "gone"), [("keep-start", "START", "END"), ("keep-end", "END", "START")]
)
def test_a_long_prompt_loses_input_and_never_instruction(
    base: Base, overflow: str, kept: str, gone: str
) -> None:
    whole = encode(base, LONG, "keep-start", None)
    encoded = encode(base, LONG, overflow, 60)  # type: ignore[arg-type]
    assert whole is not None
    assert encoded is not None
    assert 50 <= len(encoded.ids) <= 60
    assert encoded.truncated_tokens == len(whole.ids) - len(encoded.ids)
    assert encoded.text.startswith(LONG.before)
    assert encoded.text.endswith(LONG.after)
    assert kept in encoded.text
    assert gone not in encoded.text


def test_a_chats_template_counts_and_stays_whole(llama: Base) -> None:
    encoded = encode(chatty(llama, with_bos=True), LONG, "keep-end", 80)
    assert encoded is not None
    assert 70 <= len(encoded.ids) <= 80
    assert encoded.text.endswith("END Answer: [end] [answer]")


def test_what_may_not_or_cannot_be_shortened_is_refused(base: Base) -> None:
    assert encode(base, LONG, "refuse", 60) is None
    assert encode(base, LONG, "keep-start", 4) is None


def test_a_training_example_fits_what_the_recipe_and_the_model_allow(base: Base) -> None:
    learnt = pair(base, LONG, "Anna", "keep-start", 64)
    assert learnt is not None
    assert learnt.tokens <= 64
    assert learnt.truncated_tokens > 0
    assert pair(base, LONG, LONG.input, "keep-start", 64) is None
    if base.window is not None:
        longest = pair(base, LONG, "Anna", "keep-start", 10_000)
        assert longest is not None
        assert longest.tokens <= base.window


def test_a_tokenizer_without_offsets_shortens_too(llama: Base) -> None:
    class Slow:
        """A tokenizer written in Python: no offsets."""

        is_fast = False

        def __getattr__(self, name: str) -> object:
            return getattr(llama.tokenizer, name)

        def __call__(self, *args: object, **said: object) -> object:
            assert "return_offsets_mapping" not in said
            return llama.tokenizer(*args, **said)

    encoded = encode(replace(llama, tokenizer=Slow()), LONG, "keep-start", 60)
    assert encoded is not None
    assert 40 <= len(encoded.ids) <= 60
