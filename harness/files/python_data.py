"""Take plain data of a Python program as if it had been read from a YAML file: `harness.run({"tasks": […]})`."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any

from harness.errors import SuiteError
from harness.files.yaml import LARGEST, SURROGATE, Document, Keys, dotted

NO_LINE = 0  # data of a program has keys, but no lines


def document(data: Mapping[str, object], name: str) -> Document:
    """Return a mapping as a document called `name`; relative paths in it start at the working folder.

    Tuples become lists, paths become texts, and numbers of other libraries become Python's. Raises SuiteError for a value
    that YAML could not contain.
    """
    lines: dict[Keys, int] = {}
    plain = _plain(data, (), name, lines)
    return Document(path=Path.cwd() / name, data=plain, lines=lines)


def _plain(value: object, keys: Keys, name: str, lines: dict[Keys, int]) -> Any:
    lines[keys] = NO_LINE
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, keys, name)
        case PurePath():
            return _text(str(value), keys, name)
        case Integral():
            return _number(int(value), keys, name)
        case Real():
            return _number(float(value), keys, name)
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    raise SuiteError(f"{_at(keys, name)}: found the key {key!r}; give text")
            return {key: _plain(item, (*keys, key), name, lines) for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [_plain(item, (*keys, n), name, lines) for n, item in enumerate(value)]
    raise SuiteError(
        f"{_at(keys, name)}: found a {type(value).__name__}; give text, a number, true or false, a list or a mapping"
    )


def _text(text: str, keys: Keys, name: str) -> str:
    if lone := SURROGATE.search(text):
        raise SuiteError(
            f"{_at(keys, name)}: contains a lone surrogate, \\u{ord(lone[0]):04x}; write valid Unicode"
        )
    return str(text)


def _number(number: int | float, keys: Keys, name: str) -> int | float:
    if isinstance(number, float) and not math.isfinite(number):
        raise SuiteError(f"{_at(keys, name)}: found {number}; give a finite number")
    if isinstance(number, int) and abs(number) > LARGEST:
        raise SuiteError(f"{_at(keys, name)}: found {number}; give a number of at most 18 digits")
    return number


def _at(keys: Keys, name: str) -> str:
    return f"{name}: {dotted(keys)}" if keys else name
