"""Check a plug-in's settings: the keyword-only parameters of its factory, with their types and defaults."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field, fields, make_dataclass
from functools import cache
from typing import Any, get_type_hints

from harness.errors import SuiteError
from harness.files.validation import At, checked, found
from harness.plugins.choice import Setting


def settings(factory: Callable[..., Any], given: Mapping[str, Any], at: At) -> dict[str, Setting]:
    """Return the settings that differ from the factory's defaults; raise SuiteError with a line for every mistake."""
    for name, value in given.items():
        if isinstance(value, list | dict):
            raise SuiteError(f"{at(name)}: found {found(value)}; give one value")
    kind = _record(factory)
    record = checked(kind, dict(given), at)
    return {
        each.name: value
        for each in fields(kind)
        if each.name in given and not _is(value := getattr(record, each.name), each.default)
    }


def _is(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default


@cache
def _record(factory: Callable[..., Any]) -> type[Any]:
    """Return a record with a field for each setting."""
    try:
        hints = get_type_hints(factory)
    except Exception as error:  # foreign code: a type that cannot be found, or is none
        raise SuiteError(
            f"{factory.__module__}: the types of its settings cannot be read: {error}"
        ) from error
    parts: list[Any] = []
    for name, parameter in inspect.signature(factory).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        bare = parameter.default is parameter.empty
        hint = hints.get(name, Any if bare else type(parameter.default))
        parts.append((name, hint) if bare else (name, hint, field(default=parameter.default)))
    return make_dataclass("Settings", parts, frozen=True, kw_only=True)
