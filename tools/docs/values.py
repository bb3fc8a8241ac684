"""Say in words which values a key takes, and what it is without one."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass
from typing import Any, Literal, get_args, get_origin

from tools.docs.tables import code

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}


def kind(annotation: Any) -> str:
    """Return the type of a key's value, as a reader of YAML would call it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _either([argument for argument in arguments if argument is not type(None)])
    if origin is Literal:
        return ", ".join(code(word) for word in arguments)
    if origin is tuple:
        return _list(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping of text to {kind(arguments[1])}"
    if is_dataclass(annotation):
        return "mapping"
    return WORDS[annotation]


def _either(choices: list[Any]) -> str:
    return " or ".join(dict.fromkeys(kind(choice) for choice in choices))


def _list(parts: tuple[Any, ...]) -> str:
    if parts[-1] is not Ellipsis:
        return f"list of {len(parts)} {kind(parts[0])}s"
    return (
        "list of mappings"
        if is_dataclass(parts[0])
        else f"list of {kind(parts[0])}s".replace("texts", "text")
    )


def default(field: Field[Any]) -> str:
    """Return what a key is without a value; "required" if it needs one."""
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value is MISSING:
        return "required"
    if value is None:
        return ""
    if is_dataclass(value):
        return "its defaults"
    return code(written(value))


def written(value: object) -> str:
    """Return a value as YAML writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case tuple() | list():
            return f"[{', '.join(map(written, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{key}: {written(each)}' for key, each in value.items())}}}"
        case str():
            return value or '""'
    return f"{value:g}" if isinstance(value, float) else str(value)
