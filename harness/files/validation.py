"""Turn plain data from a YAML file into frozen records, which are checked once, here."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.errors import SuiteError, UnknownName
from harness.files.yaml import Document

Record = TypeVar("Record")

_WANTED = {
    "bool": "true or false",
    "dataclass": "a mapping",
    "dict": "a mapping",
    "float": "a number",
    "int": "a whole number",
    "mapping": "a mapping",
    "string": "text",
    "tuple": "a list",
}


At = Callable[..., str]  # keys below the data -> their place: "FILE:LINE: dotted.key"


def record(kind: type[Record], data: object, document: Document, *keys: str | int) -> Record:
    """Return the record that the data under `keys` describes; raise SuiteError with a line for every mistake."""
    return checked(kind, data, lambda *more: document.at(*keys, *more))


def checked(kind: type[Record], data: object, at: At) -> Record:
    """Return the record, or the value of another type, that plain data describes.

    Raises SuiteError with a line for every mistake, each with its place by `at`.
    """
    lists: TypeAdapter[list[Record]] = _list_of(kind)  # type: ignore[arg-type]  # mypy: "not Hashable"; types are
    try:
        # As strict JSON: a list may become a tuple and 1 a float, but "3" is no number and 1 is not true.
        return lists.validate_json(json.dumps([data]), strict=True)[0]
    except ValidationError as error:
        raise SuiteError("\n".join(_sentences(kind, error, data, at))) from None


@contextmanager
def placed(at: At | None, *keys: str | int) -> Iterator[None]:
    """Begin the message of a SuiteError that knows its key, below these keys, with the place of that key."""
    try:
        yield
    except SuiteError as error:
        if at is not None and error.key:
            error.args = (f"{at(*keys, *error.key)}: {error}",)
            error.key = ()
        raise


def found(value: object) -> str:
    """Return a description of a value for a message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value!r}"
        case list():
            return "a list"
        case _:
            return "a mapping"


@cache
def _list_of(kind: type[Any]) -> TypeAdapter[Any]:
    # In a list, because a plain dataclass takes pydantic's configuration only from the type around it.
    listed: Any = GenericAlias(list, (kind,))
    return TypeAdapter(listed, config=ConfigDict(extra="forbid"))


def _sentences(kind: type[Any], error: ValidationError, data: object, at: At) -> Iterable[str]:
    wanted: dict[tuple[str | int, ...], list[str]] = {}
    for mistake in error.errors(include_url=False):
        way = mistake["loc"][1:]
        reason, value = mistake["type"], mistake["input"]
        if reason == "unexpected_keyword_argument":
            if elsewhere := _below(kind, way):
                yield f"{at(*way)}: no key named {str(way[-1])!r} here; write it below `{elsewhere}:`"
                continue
            known = [field.name for field in fields(_kind_at(kind, way[:-1]))]
            yield str(UnknownName("key", str(way[-1]), known, at(*way)))
        elif reason.startswith("missing"):
            yield f"{at(*way)}: missing; add `{way[-1]}:`"
        elif reason == "literal_error" and isinstance(value, str) and _holds(data, way):
            choices = re.findall("'([^']*)'", mistake["ctx"]["expected"])
            yield str(UnknownName(str(way[-1]), value, choices, at(*way)))
        else:  # a value of several allowed types gives a mistake for each, with the type's name at the end
            way = way if _holds(data, way) else way[:-1]
            choice = mistake.get("ctx", {}).get("expected", "") or _WANTED.get(
                reason.split("_")[0], mistake["msg"]
            )
            wanted.setdefault(way, [found(value)]).append(choice)
    for way, (what, *choices) in wanted.items():
        yield f"{at(*way)}: found {what}; give {' or '.join(choices)}"


def _below(kind: type[Any], way: tuple[str | int, ...]) -> str:
    """Return the neighbouring key under which a misplaced key belongs; "" if no neighbour has such a key."""
    named = get_type_hints(_kind_at(kind, way[:-1]))
    return next(
        (
            key
            for key, inner in named.items()
            if is_dataclass(inner) and way[-1] in {field.name for field in fields(inner)}
        ),
        "",
    )


def _holds(data: object, way: tuple[str | int, ...]) -> bool:
    """Return whether a path of keys leads to a value that was given."""
    for key in way:
        try:
            data = data[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _kind_at(kind: type[Any], way: tuple[str | int, ...]) -> type[Any]:
    """Return the record type that a path leads to: names of fields, and places in lists and mappings of records."""
    inside = False  # a list or a mapping of records, of which the next key is a place
    for key in way:
        if inside:
            inside = False
            continue
        named: Any = get_type_hints(kind)[str(key)]
        choices: tuple[Any, ...] = get_args(named)
        inside = get_origin(named) in (tuple, Mapping) and any(map(is_dataclass, choices))
        # A record that may be left out is one of several choices.
        record: Any = next((choice for choice in choices if is_dataclass(choice)), named)
        kind = record
    return kind
