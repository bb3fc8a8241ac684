"""Read the turns of a conversation from a list of messages, whose keys may be those of OpenAI or of ShareGPT."""

import json
from collections.abc import Mapping
from typing import Any

from harness.errors import DataError
from harness.types import Role, Turn

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
}
_CALLS = ("tool_calls", "function_call")


def read_turns(
    cell: object, where: str, textual: bool, role: str = "role", content: str = "content"
) -> tuple[Turn, ...]:
    """Return the turns of a list of messages, whose keys for the role and the text are given."""
    entries = _rows(parsed(cell) if textual else cell, role, content)
    if not isinstance(entries, list):
        raise DataError(f"{where} holds {in_words(entries)}; give a list of {{{role}, {content}}}")
    return tuple(
        _turn(entry, f"{where}: turn {at}", role, content) for at, entry in enumerate(entries, start=1)
    )


def _rows(cell: object, role: str, content: str) -> object:
    """Return the list that a mapping of two lists stands for, as `datasets` has it; any other cell as it is."""
    if not isinstance(cell, Mapping):
        return cell
    said, texts = cell.get(role), cell.get(content)
    if not isinstance(said, list) or not isinstance(texts, list) or len(said) != len(texts):
        return cell
    return [{role: who, content: text} for who, text in zip(said, texts, strict=True)]


def _turn(entry: object, where: str, role: str, content: str) -> Turn:
    if not isinstance(entry, Mapping) or role not in entry or content not in entry:
        raise DataError(
            f"{where}: found {in_words(entry)} without {role} and {content}; give {{{role}: …, {content}: …}}"
        )
    name = entry[role]
    if not isinstance(name, str) or name not in ROLES:
        raise DataError(f"{where}: the role {name!r} is not read; known: {', '.join(ROLES)}")
    for call in _CALLS:
        if entry.get(call):
            raise DataError(f"{where}: has {call}, which are not read; write them as text, or drop the row")
    return Turn(role=ROLES[name], text=_content(entry[content], f"{where}: {content}"))


def _content(value: object, where: str) -> str:
    """Return the text of a message, whose text parts are joined by line feeds."""
    if isinstance(value, str) or value is None:
        return value or ""
    if not isinstance(value, list):
        raise DataError(f"{where} is {in_words(value)}; give a text, or a list of parts of text")
    texts = []
    for part in value:
        kind = part.get("type") if isinstance(part, Mapping) else in_words(part)
        if not (isinstance(part, Mapping) and kind == "text" and isinstance(part.get("text"), str)):
            raise DataError(f"{where}: a part of the type {kind!r} is not read: only text is; drop the row")
        texts.append(part["text"])
    return "\n".join(texts)


def parsed(cell: object) -> Any:
    """Return the list that a cell of a CSV file contains as JSON; any other cell as it is."""
    if not isinstance(cell, str) or not cell.lstrip().startswith("["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def in_words(value: object) -> str:
    """Return what a value is, in words."""
    match value:
        case None:
            return "nothing"
        case str():
            return "a text"
        case list():
            return "a list"
        case Mapping():
            return "a mapping"
    return f"the {type(value).__name__} {value!r}"[:60]
