"""Plain data to records, every field held against its type: a file may have been written, or changed, by anybody."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.results.values import fits

Record = TypeVar("Record")
Holds = Callable[[Any], bool]


def record(kind: type[Record], data: Mapping[str, Any], **given: object) -> Record:
    """A record from an object's keys; keys that the record does not have are left aside.

    TypeError where a field is missing or holds something else.
    """
    known = _fields(kind)  # type: ignore[arg-type]  # mypy: "not Hashable"; types are
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in known
    } | given
    for key, value in values.items():
        if not known[key](value):
            raise TypeError(f"{kind.__name__}'s {key}: found {repr(value)[:60]}")
    return kind(**values)


@cache
def _fields(kind: type[Any]) -> dict[str, Holds]:
    hints = get_type_hints(kind)
    return {one.name: _holds(hints[one.name]) for one in fields(kind)}


def _holds(hint: Any) -> Holds:
    """Whether a value is of a type, as JSON has it: a whole number is a float too, and true is no number."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return lambda value: True
    if hint in (int, float):
        return lambda value: isinstance(value, int | hint) and not isinstance(value, bool) and fits(value)
    if hint in (None, NoneType):
        return lambda value: value is None
    if origin is Literal:
        return lambda value: value in parts
    if origin in (Union, UnionType):
        choices = [_holds(part) for part in parts]
        return lambda value: any(choice(value) for choice in choices)
    if origin is tuple:
        return _holds_all(parts)
    if origin is not None and issubclass(origin, Mapping):
        inner = _holds(parts[1])
        return lambda value: isinstance(value, Mapping) and all(map(inner, value.values()))
    return lambda value: isinstance(value, origin or hint)


def _holds_all(parts: tuple[Any, ...]) -> Holds:
    if parts[-1] is Ellipsis:
        inner = _holds(parts[0])
        return lambda value: isinstance(value, tuple) and all(map(inner, value))
    inners = [_holds(part) for part in parts]
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(inners)
        and all(holds(one) for holds, one in zip(inners, value, strict=True))
    )
