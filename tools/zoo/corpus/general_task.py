"""One small task of the general text, before it is put into a prompt."""

from typing import NamedTuple


class Task(NamedTuple):
    """What to do, with what text ("" = none), and the right answer."""

    question: str
    text: str
    answer: str


def join(words: list[str] | tuple[str, ...]) -> str:
    """Return a list as it is written in a sentence: "a lamp, a key and a book"."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def one(noun: str) -> str:
    """Return the noun, or adjective and noun, with "a" or "an"."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
