"""Find suites, tasks and recipes by name or path; the error for an unknown name suggests similar names."""

from contextlib import suppress
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from harness.errors import SuiteError, UnknownName
from harness.files import shipped
from harness.files.yaml import Document, load
from harness.types import Recipe

Kind = Literal["suite", "task", "recipe"]

_ARTICLED = {"suite": "a suite", "task": "a task", "recipe": "a recipe"}
_OF_FOLDER: dict[str, Kind] = {"tasks": "task", "adapters": "recipe"}
_LISTED = {"task": "tasks", "recipe": "recipes"}  # kind -> the key of a suite that lists names of it


class OtherKind(UnknownName):
    """A name that something of another kind has, or nearly has, or that nothing has."""

    def __init__(self, message: str) -> None:
        SuiteError.__init__(self, message)


def available(kind: Kind, base: Path | None = None) -> dict[str, Path]:
    """Return each name of a suite, task or recipe with its file; `base` is the folder of a suite file."""
    files = (file for folder in reversed(_folders(kind, base)) for file in folder.glob("*.yaml"))
    return dict(sorted({file.stem: file for file in files}.items()))


def opened(kind: Kind, name: str, base: Path | None = None, where: str = "") -> Document:
    """Return the document that a name or a path leads to; a path in a suite starts at the suite's folder."""
    if Path(name).suffix in (".yaml", ".yml") or len(Path(name).parts) > 1:
        path = (base or Path.cwd()) / Path(name).expanduser()
        if not path.is_file():
            raise SuiteError(f"{where or name}: no file {path}; give the path of a {kind}, or its name")
        return load(path)
    known = available(kind, base)
    if name not in known:
        raise unknown(kind, name, base, where)
    return load(known[name])


def kind_of(name: str) -> Kind:
    """Return what a name or a file is: by its folder, by the names that there are, else by the keys of the file."""
    folder = Path(name).resolve().parent.name
    if folder in _OF_FOLDER:
        return _OF_FOLDER[folder]
    kinds: list[Kind] = [kind for kind in get_args(Kind) if name in available(kind)]
    if kinds:
        return kinds[0]  # the first of suite, task, recipe
    with suppress(SuiteError):
        data = opened("suite", name).data
        keys = set(data) if isinstance(data, dict) else set()
        if "source" in keys:
            return "task"
        if keys and keys <= {field.name for field in fields(Recipe)} | {"sweep"}:
            return "recipe"
    return "suite"


def unknown(kind: Kind, name: str, base: Path | None = None, where: str = "") -> UnknownName:
    """Return the error for a name that no suite, task or recipe has: it says what else has the name, or is near."""
    place = f"{where}: " if where else ""
    known = available(kind, base)
    others = {other: available(other, base) for other in get_args(Kind) if other != kind}
    for other, files in others.items():
        if name in files:
            return OtherKind(
                f"{place}no {kind} named {name!r}; it is {_ARTICLED[other]}{_used_by(other, name)}"
            )
    if not get_close_matches(name, known, cutoff=0.5):
        for other, files in others.items():
            if near := get_close_matches(name, files, n=1, cutoff=0.7):
                return OtherKind(f"{place}no {kind} named {name!r}; did you mean the {other} {near[0]!r}?")
        names = f"known: {', '.join(sorted(known))}" if known else "there are none"
        return OtherKind(
            f"{place}no {kind} named {name!r}; {names}; or write it first: harness new {kind} {name}"
        )
    return UnknownName(kind, name, known, where)


def _used_by(kind: str, name: str) -> str:
    """Return which suites list the name of a task or of a recipe, as the end of a sentence."""
    if kind not in _LISTED:
        return ""
    suites = [suite for suite, path in available("suite").items() if name in _names(path, _LISTED[kind])]
    if not suites:
        return f"; no suite uses it: list it in a suite, `{_LISTED[kind]}: [{name}]`"
    return f", which {'this suite uses' if len(suites) == 1 else 'these suites use'}: {', '.join(suites)}"


def _names(suite: Path, key: str) -> list[Any]:
    """Return a list of a suite's file, as it is written; an empty list where the file is broken."""
    with suppress(SuiteError):
        data = load(suite).data
        listed = data.get(key) if isinstance(data, dict) else None
        return listed if isinstance(listed, list) else []
    return []


def _folders(kind: Kind, base: Path | None) -> tuple[Path, ...]:
    """Return the folders that are searched for a kind of file, in order: beside the suite, here, shipped."""
    here = Path.cwd()
    match kind:
        case "suite":
            return (here / "suites", shipped.folder("suites"))
        case "task":
            below, own, last = "tasks", here / "suites" / "tasks", shipped.folder("suites") / "tasks"
        case "recipe":
            below, own, last = "../adapters", here / "adapters", shipped.folder("adapters")
    beside = (base / below).resolve() if base else last.resolve()
    return (own, last) if beside == last.resolve() else (beside, own, last)
