"""Texts in cells of a CSV file: a spreadsheet would run one that begins as a formula does.

OWASP's "CSV Injection" has the characters; the wide forms are what Excel takes for them in East Asian locales.
"""

import re
from typing import TypeVar

T = TypeVar("T")

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def cell(value: T) -> T | str:
    """A text that begins so behind a single quote; a number, also one that a text is, as it was."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
