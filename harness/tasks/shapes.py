"""Read rows of the shapes that data for instructions, chats and preferences has: each row becomes a question and its answer.

    alpaca     instruction, input, output: the input joins the instruction where it is not empty
    messages   messages: a list of {role, content}, as OpenAI and transformers have it
    sharegpt   conversations: a list of {from, value}
    pairs      chosen and rejected, and a prompt: texts, or lists of messages with a shared beginning
    columns    none of these: the source's `columns` say what is what

Of a conversation, the last turn of the assistant is the reference, the turn of the user before it is the input, and what
comes before that is told first. A row that cannot be a sample is left out and counted; a row of another form is refused.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import DataError
from harness.tasks.references import text_of
from harness.tasks.remarks import EMPTY_ANSWER, EQUAL_PAIR, LONG_PAIR, NO_ANSWER, OUT_OF_ORDER
from harness.tasks.turns import ROLES, in_words, parsed, read_turns
from harness.types import Shape, Source, Turn

# shape -> the columns that a file must have for it
COLUMNS: Mapping[Shape, tuple[str, ...]] = {
    "messages": ("messages",),
    "sharegpt": ("conversations",),
    "alpaca": ("instruction", "output"),
    "pairs": ("chosen", "rejected"),
}
_HH = re.compile(r"\n\n(Human|Assistant): ?")  # as Anthropic's hh-rlhf writes a conversation into one text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A row's question and answer."""

    input: str
    answer: str
    rejected: str | None = None  # of a pair
    turns: tuple[Turn, ...] | None = None  # before the input; None: the sample is no conversation
    unanswered: bool = False  # turns after the answer were left out
    used: tuple[str, ...]  # the columns that were read


def shape_of(source: Source, names: Collection[str], where: str) -> Shape:
    """Return the shape of rows with these columns: the one that the source names, or the one that its columns show.

    Raises DataError where the columns show several shapes.
    """
    if source.shape is not None:
        return source.shape
    if not may_have(source):
        return "columns"
    prefers = "chosen" in source.columns
    known = ("input", "chosen", "rejected") if prefers else ("input", "reference")
    if all(name in names for name in known):
        return "columns"
    shapes: Sequence[Shape] = ("pairs",) if prefers else tuple(COLUMNS)
    found = [shape for shape in shapes if all(name in names for name in COLUMNS[shape])]
    if len(found) > 1:
        raise DataError(
            f"{where}: has columns of several shapes, {' and '.join(found)}; write one of them into the task's source: "
            f"`shape: {found[0]}`"
        )
    return found[0] if found else "columns"


def of_kind(columns: Collection[str]) -> tuple[Shape, ...]:
    """Return the shapes that a kind of task reads, which is known by the columns that it can have."""
    if "chosen" in columns:
        return ("pairs",)
    return tuple(COLUMNS) if "reference" in columns and "choices" not in columns else ()


def may_have(source: Source) -> bool:
    """Return whether a source's rows may have a shape: its task names no columns besides that of the ids."""
    named = {key: columns for key, columns in source.columns.items() if key != "id"}
    if "chosen" in named:  # the kind `prefer`, whose columns the loader adds under their own names
        named = {key: columns for key, columns in named.items() if columns not in (key, ())}
    return not named


def shaped(values: Mapping[str, Any], shape: Shape, where: str, *, textual: bool) -> Shaped | str:
    """Return a row of a shape as a question and its answer, or the remark under which it is left out.

    `textual`: the values are texts, so a list is written as JSON. Raises DataError for a row of another form.
    """
    for column in COLUMNS[shape]:
        if column not in values:
            raise DataError(
                f"{where}: no column {column!r}, which the shape {shape} has; add it, or drop the row"
            )
    return _READERS[shape](values, where, textual)


def _alpaca(values: Mapping[str, Any], where: str, textual: bool) -> Shaped | str:
    used = tuple(name for name in ("instruction", "input", "output") if name in values)
    for name in used:
        if isinstance(values[name], list | dict):
            raise DataError(f"{where}: column {name!r} holds {in_words(values[name])}; give a text")
    instruction, more, answer = (text_of(values.get(name)) for name in ("instruction", "input", "output"))
    if not answer.strip():
        return EMPTY_ANSWER
    asked = f"{instruction}\n\n{more}" if more.strip() else instruction
    return Shaped(input=asked, answer=answer, used=used)


def _messages(values: Mapping[str, Any], where: str, textual: bool) -> Shaped | str:
    return _conversation(
        read_turns(values["messages"], f"{where}: column 'messages'", textual), ("messages",)
    )


def _sharegpt(values: Mapping[str, Any], where: str, textual: bool) -> Shaped | str:
    turns = read_turns(values["conversations"], f"{where}: column 'conversations'", textual, "from", "value")
    return _conversation(turns, ("conversations",))


def _conversation(turns: Sequence[Turn], used: tuple[str, ...]) -> Shaped | str:
    """Return the last answer of a conversation with what came before it, or why the conversation is left out."""
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=None)
    if last is None:
        return NO_ANSWER
    before, answer = turns[:last], turns[last].text
    if not answer.strip():
        return EMPTY_ANSWER
    if not _in_order(before):
        return OUT_OF_ORDER
    return Shaped(
        input=before[-1].text,
        answer=answer,
        turns=tuple(before[:-1]),
        unanswered=last + 1 < len(turns),
        used=used,
    )


def _in_order(turns: Sequence[Turn]) -> bool:
    """Return whether turns of user and assistant alternate, the user's first and last, after a system turn at most."""
    said = [turn.role for turn in turns]
    said = said[1:] if said[:1] == ["system"] else said
    wanted = ["user", "assistant"] * (len(said) // 2) + ["user"]
    return said == wanted


def _pairs(values: Mapping[str, Any], where: str, textual: bool) -> Shaped | str:
    used = tuple(name for name in ("prompt", "chosen", "rejected") if name in values)
    cells = {name: parsed(values[name]) if textual else values[name] for name in used}
    chosen, rejected = (_side(cells[name], f"{where}: column {name!r}") for name in ("chosen", "rejected"))
    prompt = cells.get("prompt")
    if isinstance(chosen, str) and isinstance(rejected, str):
        if "prompt" not in cells:
            raise DataError(
                f"{where}: 'chosen' and 'rejected' are texts, and there is no column 'prompt'; add it"
            )
        begun = _prompt(prompt, where)
        return _pair(begun, chosen, rejected, used)
    if isinstance(chosen, str) or isinstance(rejected, str):
        raise DataError(
            f"{where}: one of 'chosen' and 'rejected' is a text, the other a list; give two of a form"
        )
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    if shared == len(chosen) == len(rejected):
        return EQUAL_PAIR
    beginning = chosen[:shared]
    if not beginning and "prompt" in cells:
        beginning = _asread_turns(_prompt(prompt, where))
    elif "prompt" in cells:
        used = used[1:]  # the beginning says it again: the column stays as it is
    rest = chosen[shared:], rejected[shared:]
    if any([turn.role for turn in side] != ["assistant"] for side in rest):
        return LONG_PAIR
    if not _in_order(beginning):
        return OUT_OF_ORDER
    return _pair(tuple(beginning), rest[0][0].text, rest[1][0].text, used)


def _pair(begun: str | tuple[Turn, ...], chosen: str, rejected: str, used: tuple[str, ...]) -> Shaped | str:
    if not chosen.strip() or not rejected.strip():
        return EMPTY_ANSWER
    if chosen.strip() == rejected.strip():
        return EQUAL_PAIR
    if isinstance(begun, str):
        return Shaped(input=begun, answer=chosen, rejected=rejected, used=used)
    if not _in_order(begun):
        return OUT_OF_ORDER
    return Shaped(input=begun[-1].text, answer=chosen, rejected=rejected, turns=begun[:-1], used=used)


def _side(cell: object, where: str) -> str | tuple[Turn, ...]:
    """Return a side of a pair: a text, or turns, which hh-rlhf writes into one text."""
    if isinstance(cell, list):
        return read_turns(cell, where, textual=False)
    if not isinstance(cell, str):
        raise DataError(f"{where} holds {in_words(cell)}; give a text, or a list of messages")
    if not _HH.match(cell):
        return cell
    _, *parts = _HH.split(cell)
    roles = map(str.lower, parts[::2])
    return tuple(
        Turn(role=ROLES[role], text=text.strip()) for role, text in zip(roles, parts[1::2], strict=True)
    )


def _prompt(cell: object, where: str) -> str | tuple[Turn, ...]:
    if isinstance(cell, list):
        return read_turns(cell, f"{where}: column 'prompt'", textual=False)
    if isinstance(cell, str):
        return cell
    raise DataError(f"{where}: column 'prompt' holds {in_words(cell)}; give a text, or a list of messages")


def _asread_turns(prompt: str | tuple[Turn, ...]) -> tuple[Turn, ...]:
    return (Turn(role="user", text=prompt),) if isinstance(prompt, str) else prompt


_READERS: Mapping[Shape, Callable[[Mapping[str, Any], str, bool], Shaped | str]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "pairs": _pairs,
}
