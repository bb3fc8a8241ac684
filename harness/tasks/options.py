"""Read the choices of a row, which of them is right, the label of a row, and a pair of a chosen and a rejected answer.

The rules, in this order:

- Choices are a list of texts, a column for each choice, a JSON list in a cell of a CSV file, or a mapping with `text` and
  `label`, as ARC has it.
- The right choice is named by its text, by its label, by a letter (A is the first), or by its number, from 0. A text that is
  one choice and names another is taken as the choice that it is, with a count that `check` shows; such a number is refused.
- A label is named by itself, or by its number in the task's `labels`, from 0. Labels that are numbers are named by
  themselves alone: of `labels: ["1", "2", "3"]`, 0 names no label.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from harness import text as words
from harness.errors import DataError, UnknownName
from harness.tasks.references import text_of
from harness.tasks.remarks import AMBIGUOUS
from harness.text import as_number

SHOWN = 6  # choices that a message names


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of a row, and how its data names them."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()  # empty: by letters


def read_choices(
    cells: Sequence[object],  # a cell for each column
    where: str,
    *,
    textual: bool,  # a cell can only contain text, so a list is written as JSON
) -> Choices:
    """Return the choices of a row; raise DataError if they are fewer than two, or not different."""
    cell = _parsed(cells[0]) if textual and len(cells) == 1 else cells[0]
    labels: Sequence[object] = ()
    if len(cells) > 1:
        entries: object = list(cells)
    elif isinstance(cell, Mapping):
        entries, labels = cell.get("text"), cell.get("label") or ()
    else:
        entries = cell
    if not isinstance(entries, list):
        raise DataError(f"{where}: found {_short(entries)}; give a list of choices, or a column for each")
    found = Choices(tuple(text_of(entry).strip() for entry in entries), tuple(map(text_of, labels)))
    _check(found, where)
    return found


def right_choice(cell: object, choices: Choices, where: str, remarks: Counter[str]) -> str:
    """Return the text of the right choice; raise DataError if the cell names none of them.

    A text that is one choice, and names another by label, letter or number, is counted and taken as the choice that it is. A
    number that can be taken in both ways is refused.
    """
    name = text_of(cell).strip()
    placed = _by_place(name, choices)
    if name in choices.texts:
        if placed in (None, name):
            return name
        if not isinstance(cell, str):
            raise DataError(
                f"{where}: the right choice is the number {name}, which is the text of one choice and the place, from 0, "
                f'of another, {_short(placed)}; write it as a text ("{name}") or as a letter'
            )
        remarks[AMBIGUOUS] += 1
        return name
    if placed is not None:
        return placed
    raise DataError(
        f"{where}: the right choice is {_short(name)}, which is not one of {_list(choices.texts)}; name it by its text, "
        f"by a letter (A to {ascii_uppercase[len(choices.texts) - 1]}), or by its number, from 0"
    )


def _by_place(name: str, choices: Choices) -> str | None:
    """Return the choice that a label, a letter or a number names; None if it names none."""
    names = choices.labels or tuple(ascii_uppercase[: len(choices.texts)])
    for position, label in enumerate(names):
        if name.casefold() == label.casefold():
            return choices.texts[position]
    if name.isascii() and name.isdigit() and int(name) < len(choices.texts):
        return choices.texts[int(name)]
    return None


def label_of(cell: object, labels: Sequence[str], where: str) -> str:
    """Return the label that a cell names by itself or by its number; raise UnknownName if there is none.

    Where a label is a number, a number names no place: of the labels 1 to 5, a 0 would be taken as the label 1.
    """
    name = text_of(cell).strip()
    if name in labels:
        return name
    numbered = name.isascii() and name.isdigit() and not any(as_number(label) is not None for label in labels)
    if numbered and int(name) < len(labels):
        return labels[int(name)]
    raise UnknownName("label", name, labels, where)


def read_pair(chosen: object, rejected: object, where: str) -> tuple[str, str]:
    """Return a chosen and a rejected answer; raise DataError if one is empty, or both are equal."""
    first, second = text_of(chosen).strip(), text_of(rejected).strip()
    if not first or not second:
        raise DataError(f"{where}: the {'rejected' if first else 'chosen'} answer is empty; drop the row")
    if first == second:
        raise DataError(
            f"{where}: the chosen and the rejected answer are equal: {_short(first)}; drop the row"
        )
    return first, second


def lettered(choices: Sequence[str]) -> str:
    """Return the choices as lines of a prompt: `A. first`."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(ascii_uppercase, choices, strict=False))


def letter(choice: str, choices: Sequence[str]) -> str:
    """Return the letter of a choice among the lines of a prompt."""
    return ascii_uppercase[choices.index(choice)]


def _check(choices: Choices, where: str) -> None:
    texts = choices.texts
    if len(texts) < 2:
        raise DataError(
            f"{where}: found {words.plural(len(texts), 'choice')}; give two or more, or drop the row"
        )
    if len(texts) > len(ascii_uppercase):
        raise DataError(f"{where}: found {len(texts)} choices; give {len(ascii_uppercase)} at most")
    for position, choice in enumerate(texts):
        if not choice:
            raise DataError(
                f"{where}: choice {position + 1} of {len(texts)} is empty; fill it in, or drop the row"
            )
        if choice in texts[:position]:
            raise DataError(f"{where}: the choice {_short(choice)} is there twice; drop one, or the row")
    if choices.labels and len(choices.labels) != len(texts):
        raise DataError(
            f"{where}: found {len(texts)} texts and {len(choices.labels)} labels; give a label for each text"
        )


def _parsed(cell: object) -> Any:
    """Return the JSON that a cell of a CSV file contains; any other cell as it is."""
    try:
        return json.loads(cell) if isinstance(cell, str) else cell
    except (ValueError, RecursionError):
        return cell


def _list(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(map(_short, texts[:SHOWN])) + more


def _short(value: object) -> str:
    found = repr(value)
    return found if len(found) <= 60 else found[:57] + "…"
