"""Find the answer in a text as lm-evaluation-harness's filters do, and remove what does not count: the program of a sandbox.

`regex` and `multi_choice_regex` follow its `filters/extraction.py`; removing follows its `exact_match`.
"""

import re
import string
import sys
import unicodedata
from functools import lru_cache
from typing import Any

from harness.sandbox._loop import serve

_ASCII = str.maketrans("", "", string.punctuation)
_DIGITS = str.maketrans("", "", string.digits)


@lru_cache(64)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


@lru_cache(1)
def _punctuation() -> dict[int, None]:
    return dict.fromkeys(i for i in range(sys.maxunicode) if unicodedata.category(chr(i)).startswith("P"))


def answer(request: dict[str, Any]) -> list[str]:
    """Return the answer that is found in the text, and then the references, each without what does not count."""
    text = request["text"]
    if request["pattern"] is not None:
        text = _among_choices(text, request) if request["choices"] is not None else _found(text, request)
    return [_cleaned(each, request) for each in (text, *request["references"])]


def _cleaned(text: str, request: dict[str, Any]) -> str:
    for expression in request["remove"]:
        text = _compiled(expression).sub("", text)
    if request["ignore_case"]:
        text = text.lower()
    if request["ignore_punctuation"]:
        text = text.translate(_ASCII)
    return text.translate(_DIGITS) if request["ignore_numbers"] else text


def _found(text: str, request: dict[str, Any]) -> str:
    """Return what the filter `regex` finds."""
    found = _compiled(request["pattern"]).findall(text)
    if not found:
        return str(request["fallback"])
    match = found[request["group"]]
    if isinstance(match, tuple):
        filled = [part for part in match if part]
        match = filled[0] if filled else request["fallback"]
    return str(match).strip()


def _among_choices(text: str, request: dict[str, Any]) -> str:
    """Return what the filter `multi_choice_regex` finds: by the pattern, else a choice's text, else a letter."""

    def simple(part: str) -> str:
        for expression in request["choices_remove"]:
            part = _compiled(expression).sub("", part)
        part = part.lower() if request["choices_ignore_case"] else part
        return part.translate(_punctuation()) if request["choices_ignore_punctuation"] else part

    letters = [chr(ord("A") + place) for place in range(len(request["choices"]))]
    shown = [simple(choice.strip()) for choice in request["choices"]]
    by_text = {each: f"({letter})" for each, letter in zip(shown, letters, strict=True)}
    texts = "|".join(sorted((re.escape(each) for each in shown), key=len, reverse=True))
    ways: tuple[tuple[re.Pattern[str], str, dict[str, str]], ...] = (
        (_compiled(request["pattern"]), text, {}),
        (re.compile(texts), simple(text), by_text),
        (re.compile(rf":[\s]*({'|'.join(letters)})"), text, {letter: f"({letter})" for letter in letters}),
    )
    for expression, searched, names in ways:
        found = expression.findall(searched)
        if not found:
            continue
        match = found[request["group"]]
        if isinstance(match, tuple):
            match = next((part for part in match if part), "")
        match = match.strip()
        if match:
            return str(names.get(match, match))
    return str(request["fallback"])


if __name__ == "__main__":
    serve(answer)
