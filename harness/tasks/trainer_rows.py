"""Give the rows of another trainer's data the names that shapes have: a question and its answer, a conversation, a pair.

The settings of such a trainer name the columns of a file, and the keys and roles of its messages. What they name is renamed
here, and `shapes` reads the rest; a row that lacks what they name is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.errors import DataError
from harness.tasks.rows import Row
from harness.tasks.turns import in_words, parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The columns of a trainer's data; None: it names no such column."""

    # A question and its answer
    instruction: str | None = None
    input: str | None = None
    output: str | None = None
    system: str | None = None
    history: str | None = None  # a list of earlier questions, each with its answer
    # A conversation, and the keys of its messages
    messages: str | None = None
    role: str = "role"
    content: str = "content"
    roles: Mapping[str, str] = field(
        default_factory=dict
    )  # as the data calls a role -> user, assistant or system
    # A pair, after a question or a conversation
    chosen: str | None = None
    rejected: str | None = None
    # A whole text
    text: str | None = None


def as_shape(row: Row, names: Names) -> Row:
    """Return a row with the columns of a shape."""
    values = renamed(row.values, names, row.where)
    return replace(
        row, values=values, textual=row.textual and all(isinstance(v, str) for v in values.values())
    )


def renamed(values: Mapping[str, Any], names: Names, where: str) -> dict[str, Any]:
    """Return a row with the columns of a shape: instruction and output, messages, a pair, or `text`."""
    if names.text is not None:
        return {"text": _cell(values, names.text, where)}
    turns = _turns(values, names, where)
    if names.chosen is not None and names.rejected is not None:
        return {
            "prompt": turns,
            "chosen": _side(values, names.chosen, names, where),
            "rejected": _side(values, names.rejected, names, where),
        }
    if names.messages is not None:
        return {"messages": turns}
    answer = _cell(values, names.output, where)
    if len(turns) == 1:  # a single question: `alpaca` joins the input to the instruction as everywhere
        return {
            "instruction": _text(values, names.instruction, where),
            "input": _text(values, names.input, where),
            "output": answer,
        }
    return {"messages": [*turns, {"role": "assistant", "content": answer}]}


def _turns(values: Mapping[str, Any], names: Names, where: str) -> list[dict[str, Any]]:
    """Return the turns before the answer, or all of a conversation."""
    turns: list[dict[str, Any]] = []
    if system := _text(values, names.system, where):
        turns.append({"role": "system", "content": system})
    if names.messages is not None:
        cell = _parsed(_cell(values, names.messages, where))
        if not isinstance(cell, list):
            raise DataError(
                f"{where}: column {names.messages!r} holds {in_words(cell)}; give a list of messages"
            )
        return turns + [
            _message(entry, names, f"{where}: turn {at}") for at, entry in enumerate(cell, start=1)
        ]
    for question, answer in _history(values, names, where):
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    asked, more = _text(values, names.instruction, where), _text(values, names.input, where)
    return [*turns, {"role": "user", "content": f"{asked}\n{more}" if asked and more else asked or more}]


def _history(values: Mapping[str, Any], names: Names, where: str) -> list[tuple[str, str]]:
    found = _parsed(values.get(names.history)) if names.history is not None else None
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(turn, list) and len(turn) == 2 for turn in found):
        raise DataError(f"{where}: column {names.history!r} is no list of [question, answer]")
    return [(str(question), str(answer)) for question, answer in found]


def _message(entry: object, names: Names, where: str) -> dict[str, Any]:
    if not isinstance(entry, Mapping) or names.role not in entry or names.content not in entry:
        raise DataError(
            f"{where}: found {in_words(entry)} without {names.role} and {names.content}, the keys that the settings name"
        )
    role = entry[names.role]
    if names.roles and role not in names.roles:
        raise DataError(
            f"{where}: the role {role!r} is none that the settings name: {', '.join(names.roles)}"
        )
    return {"role": names.roles.get(role, role), "content": entry[names.content]}


def _side(values: Mapping[str, Any], column: str, names: Names, where: str) -> Any:
    """Return a side of a pair as a list of one message; the prompt stands before both."""
    cell = _cell(values, column, where)
    cell = _parsed(cell) if str(cell).startswith("{") else cell
    if isinstance(cell, Mapping):
        return [*_turns(values, names, where), _message(cell, names, f"{where}: {column}")]
    if isinstance(cell, str):
        return [*_turns(values, names, where), {"role": "assistant", "content": cell}]
    raise DataError(f"{where}: column {column!r} holds {in_words(cell)}; give a text or a message")


def _parsed(cell: object) -> object:
    """Return the list or object that a cell of a CSV file writes as JSON; any other cell as it is."""
    return parsed(cell) if isinstance(cell, str) else cell


def _cell(values: Mapping[str, Any], column: str | None, where: str) -> Any:
    if column is None or column not in values:
        raise DataError(f"{where}: no column {column!r}, which the settings name; it has {', '.join(values)}")
    return values[column]


def _text(values: Mapping[str, Any], column: str | None, where: str) -> str:
    found = values.get(column) if column is not None else None
    if found is None:
        return ""
    if not isinstance(found, str):
        raise DataError(f"{where}: column {column!r} holds {in_words(found)}; give a text")
    return found
