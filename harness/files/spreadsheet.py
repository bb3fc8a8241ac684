"""Escape text in a CSV file that a spreadsheet would run as a formula, and characters that control a terminal.

A line feed within a quoted cell stays, as in every CSV file with texts of several lines.

The characters are those of OWASP's "CSV Injection", and their wide forms, which Excel reads alike in East Asian locales.
"""

import re
from typing import TypeVar

T = TypeVar("T")

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and line feed
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def cell(value: T) -> T | str:
    """Return a value that a spreadsheet does not run: a single quote is put before text that looks like a formula."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    shown = _CONTROL.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", value)
    return f"'{shown}" if _FORMULA.match(value) else shown
