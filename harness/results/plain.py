"""Records to plain data and back, as `types/fields.py` lets their fields say.

A file may have been written, or changed, by anybody: every field is held against its type.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.results.values import fits
from harness.types.fields import Shape

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Form:
    """What JSON may hold for a type, and what becomes of it; None: it stays as it is."""

    fits: Callable[[Any], bool]
    made: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a record."""

    name: str
    annotated: Any  # its type, with what the field says beside it
    hint: Any  # its type alone
    says: tuple[object, ...]  # what it says beside its type
    default: Any  # MISSING: it must be given
    form: Form

    @property
    def inner(self) -> Any:
        """Its type where it is there: without None."""
        choices = get_args(self.hint) if get_origin(self.hint) in (Union, UnionType) else ()
        return next((choice for choice in choices if choice is not NoneType), self.hint)


def record(kind: type[Record], data: Mapping[str, Any], **given: object) -> Record:
    """Return a record from an object's keys; keys that the record does not have are left aside.

    TypeError where a field is missing or holds something else.
    """
    values: dict[str, Any] = {}
    for part in parts(kind):
        if part.name in given:
            value = given[part.name]
        elif part.name in data:
            value = data[part.name]
        elif Shape.SPREAD in part.says:
            values[part.name] = _gathered(kind, part, data)
            continue
        elif part.default is MISSING:
            raise TypeError(f"{kind.__name__}'s {part.name}: missing")
        else:
            continue
        if not part.form.fits(value):
            raise TypeError(f"{kind.__name__}'s {part.name}: found {repr(value)[:60]}")
        values[part.name] = value if part.form.made is None else part.form.made(value)
    return kind(**values)


def plain(value: Any) -> Any:
    """Return a record, or what its fields hold, as plain JSON data."""
    if is_dataclass(value):
        return _document(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def parts(kind: type[Any]) -> tuple[Part, ...]:
    """Return the fields of a record in their order."""
    return _parts(kind)  # type: ignore[arg-type]  # mypy: "not Hashable"; types are


@cache
def _parts(kind: type[Any]) -> tuple[Part, ...]:
    hints = get_type_hints(kind)
    annotated = get_type_hints(kind, include_extras=True)
    found = []
    for field in fields(kind):
        whole = annotated[field.name]
        says = getattr(whole, "__metadata__", ())
        made = field.default_factory
        default = field.default if made is MISSING else made()
        hint = hints[field.name]
        found.append(
            Part(name=field.name, annotated=whole, hint=hint, says=says, default=default, form=form(hint))
        )
    return tuple(found)


# Writing.


def _document(value: Any, sparse: bool = False) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for part in parts(type(value)):
        content = getattr(value, part.name)
        if Shape.ASIDE in part.says:
            continue
        if (sparse or Shape.IF_SET in part.says) and content == part.default:
            continue
        if Shape.SPREAD in part.says:
            written |= plain(content) if content is not None else {}
        elif Shape.SPARSE in part.says:
            written[part.name] = [_document(item, sparse=True) for item in content]
        else:
            written[part.name] = plain(content)
    return written


# Reading.


def _gathered(kind: type[Any], part: Part, data: Mapping[str, Any]) -> Any:
    """Return the value of a field whose keys stand in its place."""
    if is_dataclass(part.inner):
        inner: Any = part.inner
        first = parts(inner)[0].name
        if part.inner is not part.hint and not data.get(first):
            return None
        return record(inner, data)
    return {key: data[key] for key in other_keys(kind, data) if part.form.fits({key: data[key]})}


def other_keys(kind: type[Any], data: Mapping[str, Any]) -> Iterator[str]:
    """Give the keys that are no field's name: those of a mapping that is spread."""
    named = {part.name for part in parts(kind)}
    return (key for key in data if key not in named)


@cache
def form(hint: Any) -> Form:
    """Return what JSON may hold for a type: a whole number is a float too, and true is no number."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return Form(lambda value: True)
    if hint in (int, float):
        return Form(
            lambda value: isinstance(value, int | hint) and not isinstance(value, bool) and fits(value)
        )
    if hint in (None, NoneType):
        return Form(lambda value: value is None)
    if is_dataclass(hint):
        return _of_record(hint)
    if origin is Annotated:
        return form(inside[0])
    if origin is Literal:
        return Form(lambda value: value in inside)
    if origin in (Union, UnionType):
        return _of_choices(tuple(map(form, inside)))
    if origin is tuple:
        return _of_tuple(inside)
    if origin is not None and issubclass(origin, Mapping):
        return _of_mapping(form(inside[1]))
    return Form(lambda value: isinstance(value, origin or hint))


def _of_record(kind: Any) -> Form:
    return Form(
        lambda value: isinstance(value, kind | Mapping),
        lambda value: value if isinstance(value, kind) else record(kind, value),
    )


def _of_choices(choices: tuple[Form, ...]) -> Form:
    def made(value: Any) -> Any:
        choice = next(choice for choice in choices if choice.fits(value))
        return value if choice.made is None else choice.made(value)

    return Form(
        lambda value: any(choice.fits(value) for choice in choices),
        made if any(choice.made for choice in choices) else None,
    )


def _of_tuple(inside: tuple[Any, ...]) -> Form:
    if inside[-1] is Ellipsis:
        each = form(inside[0])
        made = each.made
        return Form(
            lambda value: isinstance(value, list | tuple) and all(map(each.fits, value)),
            tuple if made is None else lambda value: tuple(map(made, value)),
        )
    forms = tuple(map(form, inside))
    return Form(
        lambda value: (
            isinstance(value, list | tuple)
            and len(value) == len(forms)
            and all(inner.fits(item) for inner, item in zip(forms, value, strict=True))
        ),
        tuple,
    )


def _of_mapping(each: Form) -> Form:
    def made(value: Any) -> Any:
        return {key: each.made(item) for key, item in value.items()} if each.made else value

    return Form(
        lambda value: isinstance(value, Mapping) and all(map(each.fits, value.values())),
        made if each.made else None,
    )
