"""Turn records into plain data and back, as the markers of `types/fields.py` on their fields ask for.

Anybody may have written or changed a file: every value is checked against the type of its field.
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
    """How JSON holds the values of a type."""

    fits: Callable[[Any], bool]  # whether a JSON value may stand for the type
    made: Callable[[Any], Any] | None = (
        None  # makes the value of the type; None: the JSON value is used as it is
    )


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field of a record."""

    name: str
    annotated: Any  # its type with the markers of `types/fields.py`
    hint: Any  # its type alone
    says: tuple[object, ...]  # the markers
    default: Any  # MISSING: the field must be given
    form: Form

    @property
    def inner(self) -> Any:
        """Return the type of the field without None."""
        choices = get_args(self.hint) if get_origin(self.hint) in (Union, UnionType) else ()
        return next((choice for choice in choices if choice is not NoneType), self.hint)


def record(kind: type[Record], data: Mapping[str, Any], **given: object) -> Record:
    """Return a record from the keys of a JSON object; keys that the record does not have are ignored.

    Raises TypeError for a field that is missing or of another type.
    """
    values: dict[str, Any] = {}
    for field in record_fields(kind):
        if field.name in given:
            value = given[field.name]
        elif (
            Shape.SPREAD in field.says
        ):  # it stands under no name of its own: a key of that name is any other key
            values[field.name] = _gathered(kind, field, data)
            continue
        elif field.name in data:
            value = data[field.name]
        elif field.default is MISSING:
            raise TypeError(f"{kind.__name__}'s {field.name}: missing")
        else:
            continue
        if not field.form.fits(value):
            raise TypeError(f"{kind.__name__}'s {field.name}: found {repr(value)[:60]}")
        values[field.name] = value if field.form.made is None else field.form.made(value)
    return kind(**values)


def plain(value: Any) -> Any:
    """Return a record, or the value of a field, as plain JSON data."""
    if is_dataclass(value):
        return _document(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def record_fields(kind: type[Any]) -> tuple[RecordField, ...]:
    """Return the fields of a record in their order."""
    return _record_fields(kind)  # type: ignore[arg-type]  # mypy: "not Hashable"; types are


@cache
def _record_fields(kind: type[Any]) -> tuple[RecordField, ...]:
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
            RecordField(
                name=field.name, annotated=whole, hint=hint, says=says, default=default, form=form(hint)
            )
        )
    return tuple(found)


# Writing.


def _document(value: Any, sparse: bool = False) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field in record_fields(type(value)):
        content = getattr(value, field.name)
        if Shape.ASIDE in field.says:
            continue
        if (sparse or Shape.IF_SET in field.says) and content == field.default:
            continue
        if Shape.SPREAD in field.says:
            written |= plain(content) if content is not None else {}
        elif Shape.SPARSE in field.says:
            written[field.name] = [_document(item, sparse=True) for item in content]
        else:
            written[field.name] = plain(content)
    return written


# Reading.


def _gathered(kind: type[Any], field: RecordField, data: Mapping[str, Any]) -> Any:
    """Return the value of a spread field from the keys that stand in its place."""
    if is_dataclass(field.inner):
        inner: Any = field.inner
        first = record_fields(inner)[0].name
        if field.inner is not field.hint and not data.get(first):
            return None
        return record(inner, data)
    return {key: data[key] for key in other_keys(kind, data) if field.form.fits({key: data[key]})}


def other_keys(kind: type[Any], data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that name no field: the keys of a mapping that is spread over the object."""
    named = {field.name for field in record_fields(kind) if Shape.SPREAD not in field.says}
    return (key for key in data if key not in named)


@cache
def form(hint: Any) -> Form:
    """Return how JSON holds the values of a type: a whole number may stand for a float, a truth value for no number."""
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
