"""Read what a plug-in's file says of itself without importing it: importing a metric can take a second."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness import plugins
from harness.plugins.files import mark

_ENDED = re.compile(r"(?<=\.)(?<!\bal\.) ")  # the end of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A plug-in as its source describes it."""

    name: str
    about: str  # the first sentence of its docstring; of a plug-in of another package: the package
    values: Mapping[str, Any] = field(default_factory=dict)  # plain values at its top level
    fields: Mapping[str, Any] = field(
        default_factory=dict
    )  # plain fields of its record: `KIND = Kind(name=…)`
    settings: tuple[str, ...] = ()  # of its factory: "tokenize: 13a | intl = 13a"


def outlines(group: str) -> Iterator[Outline]:
    """Yield every plug-in of a group that can be named: the harness's, then those of installed packages."""
    own = plugins.own_names(group)
    folder = Path(__file__).parents[1].joinpath(*plugins.GROUPS[group].split("."))
    for name in own:
        yield outline(folder / f"{name}.py", mark(group))
    for point in plugins.others(group):
        if point.name not in own:
            yield Outline(name=point.name, about=f"from {_package(point.dist)} ({point.value})")


def outline(path: Path, mark: str) -> Outline:
    """Return the outline of a file whose record has the name `mark`, or whose factory has it in lower case."""
    module = ast.parse(path.read_text(encoding="utf-8"), str(path))
    values: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    settings: tuple[str, ...] = ()
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)) if name == mark:
                fields = {each.arg: _plain(each.value) for each in keywords if each.arg}
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _plain(value)
            case ast.FunctionDef(name=name, args=arguments) if name == mark.lower():
                settings = tuple(_settings(arguments, values))
    return Outline(
        name=path.stem,
        about=first_sentence(ast.get_docstring(module) or ""),
        values={name: value for name, value in values.items() if value is not None},
        fields={name: value for name, value in fields.items() if value is not None},
        settings=settings,
    )


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring, in one line; "et al." ends none."""
    line = " ".join(text.partition("\n\n")[0].split())
    return _ENDED.split(line, maxsplit=1)[0].rstrip(":")


def _plain(node: ast.expr) -> Any:
    """Return the value of an expression of plain values, the choices of a Literal; None for anything else."""
    match node:
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            found = _plain(choices)
            return found if isinstance(found, tuple) or found is None else (found,)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _settings(arguments: ast.arguments, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keyword-only parameters of a factory as a user reads them: `stemmer: bool = true`."""
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        said = argument.arg
        if argument.annotation is not None:
            said += f": {_type(argument.annotation, values)}"
        yield said if default is None else f"{said} = {_shown(_plain(default))}"


def _type(node: ast.expr, values: Mapping[str, Any]) -> str:
    choices = values.get(node.id) if isinstance(node, ast.Name) else _plain(node)
    return " | ".join(map(_shown, choices)) if isinstance(choices, tuple) else ast.unparse(node)


def _shown(value: Any) -> str:
    """Return a value as a suite writes it."""
    return (
        {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else str(value)
    )


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _package(distribution: Any) -> str:
    name = getattr(distribution, "name", None)
    return f"{name} {_version(name)}".strip() if name else "another package"
