"""Rows as Alpaca, OpenAI, ShareGPT, TRL and hh-rlhf write them become questions and answers, or are left out by a rule."""

# ruff: noqa: E501 (a table is read along its lines)

import json
import re
from typing import Any

import pytest

from harness.errors import DataError
from harness.tasks.remarks import EMPTY_ANSWER, EQUAL_PAIR, LONG_PAIR, NO_ANSWER, OUT_OF_ORDER
from harness.tasks.shapes import Shaped, may_have, of_kind, shape_of, shaped
from harness.types import Shape, Source, Turn

HELLO = {"role": "user", "content": "Hello"}
HI = {"role": "assistant", "content": "Hi!"}
WHERE = {"role": "user", "content": "Where is the printer?"}
THERE = {"role": "assistant", "content": "On floor two."}
GONE = {"role": "assistant", "content": "It is gone."}
SYSTEM = {"role": "system", "content": "You are a guide."}
TOLD = (Turn(role="user", text="Hello"), Turn(role="assistant", text="Hi!"))


def read(shape: Shape, values: dict[str, Any], *, textual: bool = False) -> Shaped | str:
    if textual:
        values = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()
        }
    return shaped(values, shape, "test.jsonl:1", textual=textual)


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"instruction": "Name a colour.", "input": "", "output": "Blue"}, "Name a colour."),
        ({"instruction": "Name a colour.", "input": None, "output": "Blue"}, "Name a colour."),
        ({"instruction": "Name a colour.", "input": " \n", "output": "Blue"}, "Name a colour."),
        ({"instruction": "Name a colour.", "output": "Blue"}, "Name a colour."),
        ({"instruction": "Translate.", "input": "blau", "output": "Blue"}, "Translate.\n\nblau"),
    ],
)
def test_alpaca_joins_the_input_to_the_instruction_where_there_is_one(
    values: dict[str, Any], asked: str
) -> None:
    found = read("alpaca", values)
    assert isinstance(found, Shaped)
    assert (found.input, found.answer, found.turns, found.rejected) == (asked, "Blue", None, None)


@pytest.mark.parametrize("textual", [False, True])
@pytest.mark.parametrize(
    ("messages", "turns", "asked", "answer", "unanswered"),
    [
        ([HELLO, HI], (), "Hello", "Hi!", False),
        ([HELLO, HI, WHERE, THERE], TOLD, "Where is the printer?", "On floor two.", False),
        ([SYSTEM, HELLO, HI], (Turn(role="system", text="You are a guide."),), "Hello", "Hi!", False),
        ([HELLO, HI, WHERE], (), "Hello", "Hi!", True),
        ([{**HELLO, "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, HI], (), "a\nb", "Hi!", False),
    ],
)  # fmt: skip
def test_the_last_answer_of_a_conversation_is_the_reference(
    messages: list[Any], turns: tuple[Turn, ...], asked: str, answer: str, unanswered: bool, textual: bool
) -> None:
    found = read("messages", {"messages": messages}, textual=textual)
    assert found == Shaped(input=asked, answer=answer, turns=turns, unanswered=unanswered, used=("messages",))
    speakers = {"user": "human", "assistant": "gpt", "system": "system"}
    if all(isinstance(message["content"], str) for message in messages):
        talk = [{"from": speakers[message["role"]], "value": message["content"]} for message in messages]
        other = read("sharegpt", {"conversations": talk}, textual=textual)
        assert other == Shaped(
            input=asked, answer=answer, turns=turns, unanswered=unanswered, used=("conversations",)
        )


def test_a_mapping_of_lists_is_read_as_the_list_of_mappings_that_it_stands_for() -> None:
    """The package `datasets` has a sequence of mappings so."""
    lists = {"role": ["user", "assistant"], "content": ["Hello", "Hi!"]}
    assert read("messages", {"messages": lists}) == read("messages", {"messages": [HELLO, HI]})
    with pytest.raises(DataError, match="column 'messages' holds a mapping; give a list"):
        read("messages", {"messages": {**lists, "role": ["user"]}})


PAIR: dict[str, Any] = {"prompt": "Where?", "chosen": "Here.", "rejected": "There."}


@pytest.mark.parametrize("textual", [False, True])
@pytest.mark.parametrize(
    ("values", "turns", "asked", "chosen", "rejected"),
    [
        (PAIR, None, "Where?", "Here.", "There."),
        # As TRL has them: the answers alone after a prompt of messages, or with the beginning that both share.
        ({"prompt": [HELLO, HI, WHERE], "chosen": [THERE], "rejected": [GONE]}, TOLD, "Where is the printer?", "On floor two.", "It is gone."),
        ({"chosen": [HELLO, HI, WHERE, THERE], "rejected": [HELLO, HI, WHERE, GONE]}, TOLD, "Where is the printer?", "On floor two.", "It is gone."),
        ({"prompt": "Where is the printer?", "chosen": [WHERE, THERE], "rejected": [WHERE, GONE]}, (), "Where is the printer?", "On floor two.", "It is gone."),
        ({"prompt": "Where is the printer?", "chosen": [THERE], "rejected": [GONE]}, (), "Where is the printer?", "On floor two.", "It is gone."),
        ({"prompt": [HELLO, HI, WHERE], "chosen": "On floor two.", "rejected": "It is gone."}, TOLD, "Where is the printer?", "On floor two.", "It is gone."),
        # As Anthropic's hh-rlhf has them: a conversation in one text.
        (
            {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi!\n\nHuman: Where?\n\nAssistant: Here.\n\nThere too.", "rejected": "\n\nHuman: Hello\n\nAssistant: Hi!\n\nHuman: Where?\n\nAssistant: No."},
            TOLD, "Where?", "Here.\n\nThere too.", "No.",
        ),
    ],
)  # fmt: skip
def test_pairs_share_their_beginning(
    values: dict[str, Any],
    turns: tuple[Turn, ...] | None,
    asked: str,
    chosen: str,
    rejected: str,
    textual: bool,
) -> None:
    found = read("pairs", values, textual=textual)
    assert isinstance(found, Shaped)
    assert (found.turns, found.input, found.answer, found.rejected) == (turns, asked, chosen, rejected)


@pytest.mark.parametrize(
    ("shape", "values", "remark"),
    [
        ("alpaca", {"instruction": "x", "input": "", "output": " "}, EMPTY_ANSWER),
        ("messages", {"messages": []}, NO_ANSWER),
        ("messages", {"messages": [HELLO]}, NO_ANSWER),
        ("messages", {"messages": [HELLO, {"role": "assistant", "content": ""}]}, EMPTY_ANSWER),
        ("messages", {"messages": [HELLO, {"role": "assistant", "content": None}]}, EMPTY_ANSWER),
        ("messages", {"messages": [HI, HELLO, THERE]}, OUT_OF_ORDER),
        ("messages", {"messages": [HI]}, OUT_OF_ORDER),
        ("messages", {"messages": [HELLO, WHERE, THERE]}, OUT_OF_ORDER),
        ("messages", {"messages": [HELLO, HI, THERE]}, OUT_OF_ORDER),
        ("messages", {"messages": [HELLO, SYSTEM, HI]}, OUT_OF_ORDER),
        ("sharegpt", {"conversations": [{"from": "gpt", "value": "x"}]}, OUT_OF_ORDER),
        ("pairs", {**PAIR, "rejected": "Here. "}, EQUAL_PAIR),
        ("pairs", {**PAIR, "rejected": ""}, EMPTY_ANSWER),
        ("pairs", {"chosen": [WHERE, THERE], "rejected": [WHERE, THERE]}, EQUAL_PAIR),
        ("pairs", {"chosen": [WHERE, THERE, HELLO, HI], "rejected": [WHERE, GONE]}, LONG_PAIR),
        ("pairs", {"chosen": [WHERE, THERE], "rejected": [HELLO, GONE]}, LONG_PAIR),
        ("pairs", {"chosen": [THERE], "rejected": [GONE]}, OUT_OF_ORDER),
    ],
)
def test_a_row_that_cannot_be_a_sample_is_left_out_by_a_rule(
    shape: Shape, values: dict[str, Any], remark: str
) -> None:
    assert read(shape, values) == remark


TOOL = {"role": "tool", "content": "22 degrees"}
BAD: list[tuple[Shape, dict[str, Any], str]] = [
    ("alpaca", {"instruction": "x"}, "no column 'output', which the shape alpaca has"),
    ("alpaca", {"instruction": "x", "output": ["y"]}, "column 'output' holds a list; give a text"),
    ("messages", {"messages": "hello"}, "column 'messages' holds a text; give a list of {role, content}"),
    ("messages", {"messages": [HELLO, "hi"]}, "column 'messages': turn 2: found a text without role and content"),
    ("messages", {"messages": [{"from": "human", "value": "x"}]}, "turn 1: found a mapping without role and content"),
    ("messages", {"messages": [HELLO, TOOL, HI]}, "turn 2: the role 'tool' is not read; known: system,"),
    ("messages", {"messages": [HELLO, {**HI, "content": [{"type": "image_url"}]}]}, "turn 2: content: a part of the type 'image_url' is not read"),
    ("messages", {"messages": [HELLO, {**HI, "content": {"text": "x"}}]}, "turn 2: content is a mapping; give a text"),
    ("messages", {"messages": [HELLO, {**HI, "content": None, "tool_calls": [{}]}]}, "turn 2: has tool_calls, which are not read"),
    ("sharegpt", {"conversations": [HELLO]}, "turn 1: found a mapping without from and value"),
    ("pairs", {"chosen": "x", "rejected": "y"}, "there is no column 'prompt'; add it"),
    ("pairs", {"prompt": "p", "chosen": "x", "rejected": [HI]}, "one of 'chosen' and 'rejected' is a text, the other a list"),
    ("pairs", {"prompt": "p", "chosen": 1, "rejected": 2}, "column 'chosen' holds the int 1; give a text"),
    ("pairs", {"prompt": {}, "chosen": "x", "rejected": "y"}, "column 'prompt' holds a mapping; give a text"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "values", "message"), BAD)
def test_a_row_of_another_form_is_refused_with_its_place(
    shape: Shape, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=rf"^test\.jsonl:1: .*{re.escape(message)}"):
        read(shape, values)


def source(columns: dict[str, Any], shape: Shape | None = None) -> Source:
    return Source(uri="file:x", columns=columns, shape=shape)


PREFER = {"reference": (), "chosen": "chosen", "rejected": "rejected"}  # as the loader completes it


@pytest.mark.parametrize(
    ("names", "columns", "shape"),
    [
        (["instruction", "input", "output"], {}, "alpaca"),
        (["id", "instruction", "output", "text"], {"id": "id"}, "alpaca"),
        (["messages", "id"], {}, "messages"),
        (["conversations"], {}, "sharegpt"),
        (["prompt", "chosen", "rejected"], {}, "pairs"),
        (["prompt", "chosen", "rejected", "messages"], PREFER, "pairs"),
        # What the user names is read as it is named, and so is what was read before.
        (["instruction", "input", "output"], {"input": "input", "reference": "output"}, "columns"),
        (["messages", "input", "reference"], {}, "columns"),
        (["input", "chosen", "rejected"], PREFER, "columns"),
        (["prompt", "chosen", "rejected"], {**PREFER, "chosen": "better"}, "columns"),
        (["messages"], {"reference": ()}, "columns"),  # perplexity
        (["messages", "choices"], {"choices": "choices"}, "columns"),
        (["text"], {}, "columns"),
    ],
)
def test_a_shape_is_found_only_where_the_task_names_no_columns(
    names: list[str], columns: dict[str, Any], shape: Shape
) -> None:
    assert shape_of(source(columns), names, "test.jsonl:1") == shape
    assert shape_of(source(columns, "messages"), names, "") == "messages"


def test_columns_of_several_shapes_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"several shapes, messages and pairs; write one .* `shape: messages`"
    ):
        shape_of(source({}), ["prompt", "chosen", "rejected", "messages"], "test.jsonl:1")


def test_kinds_read_the_shapes_that_they_have_columns_for() -> None:
    assert of_kind(("id", "input", "reference")) == ("messages", "sharegpt", "alpaca", "pairs")
    assert of_kind(("id", "input", "chosen", "rejected")) == ("pairs",)
    assert of_kind(("id", "input")) == of_kind(("id", "input", "reference", "choices")) == ()
    assert may_have(source({"id": "key"})) and may_have(source(PREFER))
    assert not may_have(source({"input": "x"}))
