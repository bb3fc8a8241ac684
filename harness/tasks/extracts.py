"""Find the answer in a text that gives its steps first."""

import os
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from harness.errors import SuiteError
from harness.sandbox import Exceeded, Sandbox, _search

SECONDS = 1.0  # of processor time for one text; a sound expression takes microseconds
LONGEST = 200  # characters of a number; a longer text is not read as a number

# What stands before an answer: GSM8K's mark, or the words that models learn from chain-of-thought examples.
_MARK = re.compile(r"(?:####|\banswer(?:[ \t]+is\b[ \t]*:?|[ \t]*[:=]))[ \t]*", re.IGNORECASE)
# A minus after a letter, a digit or a bracket is a hyphen or an operator.
_NUMBER = re.compile(
    r"(?:(?<![\w)\]])[-\N{MINUS SIGN}])?\$?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+|(?<!\d)(?=\.\d))(?:\.\d+)?(?:[eE][+-]?\d+)?"
)


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
