"""Make the JSON schema of result.json from its records; `python -m harness.results.schema` prints it.

The types of the fields give its types; docstrings and comments give its descriptions.
"""

import ast
import inspect
import json
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from io import StringIO
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from harness.results.document import SCHEMA
from harness.results.plain import RecordField, record_fields
from harness.results.records import Result
from harness.types.fields import Range, Shape

SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the schema of what this harness writes; results of older versions may lack keys."""
    definitions: dict[str, Schema] = {}
    whole = _of_record(Result, definitions)
    whole["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "result.json of a RESULT folder",
        **whole,
        "$defs": dict(sorted(definitions.items())),
    }


def _of_record(kind: type[Any], definitions: dict[str, Schema], *, sparse: bool = False) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    others: Schema | bool = False
    comments = _comments(kind)
    for field in record_fields(kind):
        if Shape.ASIDE in field.says:
            continue
        if Shape.SPREAD in field.says and is_dataclass(field.inner):
            inner = _of_record(field.inner, definitions)  # type: ignore[arg-type]
            properties |= inner["properties"]
            required += inner["required"] if field.inner is field.hint else []
        elif Shape.SPREAD in field.says:
            others = _of_type(get_args(field.inner)[1], definitions)
        else:
            told = {"description": comments[field.name]} if field.name in comments else {}
            properties[field.name] = told | _of_field(field, definitions)
            required += [] if sparse or Shape.IF_SET in field.says else [field.name]
    return {
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "type": "object",
        "additionalProperties": others,
        "required": required,
        "properties": properties,
    }


def _of_field(field: RecordField, definitions: dict[str, Schema]) -> Schema:
    if Shape.SPARSE in field.says:
        return {"type": "array", "items": _defined(get_args(field.hint)[0], definitions, sparse=True)}
    return _of_type(field.annotated, definitions)


def _of_type(hint: Any, definitions: dict[str, Schema]) -> Schema:
    origin, inside = get_origin(hint), get_args(hint)
    if hasattr(hint, "__metadata__"):
        return _of_type(inside[0], definitions) | _limits(hint.__metadata__)
    if is_dataclass(hint):
        return _defined(hint, definitions)
    if hint in SIMPLE:
        return {"type": SIMPLE[hint]}
    if origin is Literal:
        return {"enum": [*inside]}
    if origin in (Union, UnionType):
        return _of_choices([_of_type(choice, definitions) for choice in inside])
    if origin is tuple:
        if inside[-1] is Ellipsis:
            return {"type": "array", "items": _of_type(inside[0], definitions)}
        items = [_of_type(item, definitions) for item in inside]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of_type(inside[1], definitions)}
    return {}  # any value


def _of_choices(choices: list[Schema]) -> Schema:
    if any("type" not in choice for choice in choices):
        return {"anyOf": choices}
    merged: Schema = {}
    for choice in choices:
        merged |= choice
    return merged | {"type": [choice["type"] for choice in choices]}


def _defined(kind: Any, definitions: dict[str, Schema], *, sparse: bool = False) -> Schema:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # a record that contains records of its own type would come back here
        definitions[kind.__name__] = _of_record(kind, definitions, sparse=sparse)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _limits(says: Iterable[object]) -> Schema:
    for word in says:
        if isinstance(word, Range):
            return {"minimum": word.least} | ({} if word.most is None else {"maximum": word.most})
    return {}


def _comments(kind: type[Any]) -> dict[str, str]:
    """Return the comment of each field: in its margin, or in the lines above it."""
    source = inspect.getsource(kind)
    (record,) = ast.parse(source).body
    assert isinstance(record, ast.ClassDef)
    margin = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    lines = source.splitlines()
    for field in record.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            told = [*_above(field.lineno, lines, margin)][::-1]
            told += [
                margin[line] for line in range(field.lineno, (field.end_lineno or 0) + 1) if line in margin
            ]
            if told:
                found[field.target.id] = " ".join(told)
    return found


def _above(line: int, lines: list[str], margin: Mapping[int, str]) -> Iterator[str]:
    """Yield the comments right above a line, the last comment first."""
    while (line := line - 1) in margin and lines[line - 1].lstrip().startswith("#"):
        yield margin[line]


if __name__ == "__main__":
    print(json.dumps(json_schema(), ensure_ascii=False, indent=1))
