"""Find the answer in a text that gives its steps first."""

import os
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from harness.errors import SuiteError
from harness.sandbox import Exceeded, Sandbox, _search

Which = Literal["last", "first"]
Sort = Literal["number", "text"]

SECONDS = 1.0  # of processor time for one text; a sound expression takes microseconds
LONGEST = 200  # characters of a number; a longer text is not read as a number

# What stands before an answer: GSM8K's mark, or the words that models learn from chain-of-thought examples.
_MARK = re.compile(r"(?:####|\banswer(?:[ \t]+is\b[ \t]*:?|[ \t]*[:=]))[ \t]*", re.IGNORECASE)
# A minus after a letter, a digit or a bracket is a hyphen or an operator.
_NUMBER = re.compile(
    r"(?:(?<![\w)\]])[-\N{MINUS SIGN}])?\$?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+|(?<!\d)(?=\.\d))(?:\.\d+)?(?:[eE][+-]?\d+)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How the result of an answer is found: the settings of the metric `extract`."""

    pattern: str | None = None  # a regular expression; None: the usual search
    which: Which = "last"  # of several finds
    kind: Sort = "number"

    def result(self, text: str, whose: str) -> str | None:
        """Return the result of a text as it is written there; None where none is found. `whose` is for messages."""
        finds = _finds(text, self.kind) if self.pattern is None else searched(self.pattern, text, whose)
        if self.kind == "number":
            finds = [found[0] for each in finds if (found := numbers(each))]
        return finds[-1 if self.which == "last" else 0] if finds else None

    def compared(self, result: str) -> Decimal | str | None:
        """Return what equal results have in common; None for a number that cannot be read."""
        return as_decimal(result) if self.kind == "number" else result.strip().rstrip(".").strip()


def _finds(text: str, kind: Sort) -> list[str]:
    """Return what the usual search finds: what is marked as the answer, else every number or line."""
    after = marked(text)
    if kind == "text":
        return after or [line for line in text.splitlines() if line.strip()]
    return [each for each in after if numbers(each)] or numbers(text)


def numbers(text: str) -> list[str]:
    """Return the numbers of a text as they are written."""
    return [found[0] for found in _NUMBER.finditer(text)]


def as_decimal(text: str) -> Decimal | None:
    """Return the exact number that a text is, with or without thousands separators, "$" and "%"; None for any other text."""
    bare = (
        text.strip()
        .rstrip(".")
        .removesuffix("%")
        .replace("$", "")
        .replace("\N{MINUS SIGN}", "-")
        .replace(",", "")
    )
    try:
        found = Decimal(bare.strip()) if len(bare) <= LONGEST and "_" not in bare else Decimal("nan")
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def marked(text: str) -> list[str]:
    """Return what follows "####" or "the answer is", each up to the end of its line."""
    rest = (text[mark.end() :].partition("\n")[0].strip() for mark in _MARK.finditer(text))
    return [each for each in rest if each]


def searched(expression: str, text: str, whose: str) -> list[str]:
    """Return what a regular expression of a stranger finds; SuiteError if it takes too long."""
    try:
        found: list[str] = _sandbox(os.getpid()).ask({"expression": expression, "text": text}, SECONDS)
    except Exceeded as error:
        _sandbox.cache_clear()
        raise SuiteError(
            f"extract: pattern {expression!r} {error} on {whose}; avoid nested repetitions such as (a+)+"
        ) from error
    return found


@lru_cache(1)
def _sandbox(_: int) -> Sandbox:
    return Sandbox(_search)
