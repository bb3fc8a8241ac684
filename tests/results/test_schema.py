"""The records of a result: what is written is read again as it was, keeps to its schema and says what may be shared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ResultError
from harness.results import Result, TaskFacts, document, from_document, redact
from harness.results.pathless import pathless
from harness.results.plain import RecordField, record_fields
from harness.results.redact import kept
from harness.results.schema import json_schema
from harness.types import Gate, Generation, WeightRow
from harness.types.fields import Copy, Kept, Range, Shape, Withheld

SCHEMA = json_schema()
PRIVATE = TaskFacts(name="private", primary="f1", metrics=("f1",), share="scores")
FOLDER = Path("a RESULT")
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
number = st.floats(-1e300, 1e300) | st.integers(-(2**53), 2**53)
scalar = st.none() | st.booleans() | number | text


def value_of(hint: Any, says: tuple[object, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of a type, as a field of a record may have them."""
    origin, inside = get_origin(hint), get_args(hint)
    if hasattr(hint, "__metadata__"):
        return value_of(inside[0], hint.__metadata__)
    if is_dataclass(hint) and isinstance(hint, type):
        return record_of(hint)
    if origin is Literal:
        return st.sampled_from(inside)
    if origin in (Union, UnionType):
        return st.one_of(*(value_of(choice, says) for choice in inside))
    if origin is tuple:
        if inside[-1] is Ellipsis:
            return st.lists(value_of(inside[0]), max_size=2).map(tuple)
        return st.tuples(*map(value_of, inside))
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(text, value_of(inside[1]), max_size=2)
    limits = next((word for word in says if isinstance(word, Range)), Range(-(2**53)))
    most = limits.most or 2**53
    simple: dict[Any, st.SearchStrategy[Any]] = {
        NoneType: st.none(),
        str: text,
        bool: st.booleans(),
        int: st.integers(int(limits.least), int(most)),
        float: st.floats(limits.least, most),
        object: scalar | st.lists(scalar, max_size=2),
        Path: st.just(FOLDER),
    }
    return simple[hint]


def record_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {part.name: value_of(part.annotated) for part in record_fields(kind)}
    if kind is WeightRow:
        named = {part.name for part in record_fields(kind) if Shape.SPREAD not in part.says}
        fields["numbers"] = st.dictionaries(text.filter(lambda name: name not in named), number, max_size=3)
    if kind is Gate:  # a rule without a limit is none, and its name is no other key's
        named = {part.name for part in record_fields(kind) if Shape.SPREAD not in part.says}
        limits = number | text | st.booleans() | st.lists(scalar, max_size=2)
        fields["rules"] = st.dictionaries(text.filter(lambda name: name not in named), limits, max_size=2)
    if kind is Result:
        fields["schema"] = st.just(1)
    return st.builds(kind, **fields)


any_result = record_of(Result)
many = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(any_result)
def test_a_document_is_read_as_the_result_that_it_is_of(result: Result) -> None:
    written = json.loads(json.dumps(document(result), allow_nan=False))
    again = from_document(FOLDER, written)
    assert again == result
    assert json.dumps(document(again)) == json.dumps(document(result))  # the order of keys, too


@many
@given(any_result)
def test_a_document_keeps_to_the_schema_of_its_records(result: Result) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(document(result))))


def reachable(kind: type[Any]) -> dict[type[Any], None]:
    """The record and all records in it."""
    found: dict[type[Any], None] = {kind: None}
    for part in record_fields(kind):
        waiting = [part.hint]
        while waiting:
            hint = waiting.pop()
            waiting += get_args(hint)
            if is_dataclass(hint) and isinstance(hint, type) and hint not in found:
                found |= reachable(hint)
    return found


def inner_fields(part: RecordField) -> tuple[RecordField, ...]:
    """Return the fields whose keys stand in the place of one field."""
    inner: Any = part.inner
    if Shape.SPREAD in part.says and is_dataclass(inner) and isinstance(inner, type):
        return record_fields(inner)
    return (part,)


@pytest.mark.parametrize("kind", reachable(Result), ids=lambda kind: kind.__name__)
def test_no_two_fields_of_a_record_have_one_key(kind: type[Any]) -> None:
    keys = [inner.name for part in record_fields(kind) for inner in inner_fields(part)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("kind", [*reachable(Result), Generation], ids=lambda kind: kind.__name__)
def test_every_field_says_what_a_copy_that_withholds_texts_keeps_of_it(kind: type[Any]) -> None:
    for part in record_fields(kind):
        said = [word for word in part.says if isinstance(word, Copy | Withheld) or word is Shape.ASIDE]
        assert len(said) == 1, (
            f"{kind.__name__}.{part.name}: Kept, LeftOut or Withheld? See harness/types/fields.py"
        )


@dataclass(frozen=True, kw_only=True)
class Forgetful:
    name: Kept[str]
    quoted: Annotated[str, Withheld(instead="…")]
    new: str = ""


def test_a_field_that_says_nothing_is_left_out_of_a_copy() -> None:
    assert kept(Forgetful, {"name": "n", "quoted": "q", "new": "x", "odd": 1}) == {"name": "n", "quoted": "…"}


@many
@given(any_result)
def test_a_copy_of_a_document_can_be_read(result: Result) -> None:
    copy = redact.document(document(replace(result, suite=replace(result.suite, tasks=(PRIVATE,)))))
    shown, whole = from_document(FOLDER, copy), from_document(FOLDER, pathless(document(result)))
    assert shown.scores == whole.scores and shown.weights == whole.weights
    assert shown.withheld == ("private",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suite": None}, "Result's suite: found None"),
        ({"scores": [{"task": "t"}]}, "System's model: missing"),
        ({"scores": [{"task": "t", "model": "m"}]}, "Score's metric: missing"),
        ({"notes": [{"kind": 1, "where": "w", "count": 1, "of": 2}]}, "Note's kind: found 1"),
        ({"manifest": {"seed": True}}, "RunFacts's seed: found True"),
        ({"manifest": {"libraries": {"numpy": 2}}}, "RunFacts's libraries: found {'numpy': 2}"),
        ({"weights": 5}, "Result's weights: found 5"),
    ],
)
def test_what_a_document_holds_of_another_type_is_refused(change: Mapping[str, Any], said: str) -> None:
    small = {"suite": {"name": "s", "tasks": [], "models": []}, "scores": [], "comparisons": []}
    assert from_document(FOLDER, small).seed == 0
    with pytest.raises(ResultError, match="broken or changed by hand") as told:
        from_document(FOLDER, {**small, **change})
    assert said in str(told.value)
