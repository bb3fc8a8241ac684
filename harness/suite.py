"""The suite file: YAML to a Suite in which every name stands for something.

A task or a recipe is a mapping in the suite, or the name of a file: `tasks/NAME.yaml`, `adapters/NAME.yaml`.
Relative `file:` paths start at the YAML file that names them.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from harness import shipped, suite_rules
from harness.border import found, record
from harness.errors import SuiteError, UnknownName
from harness.types import Adapter, Model, Recipe, Suite, Task, Weighing
from harness.yaml_lines import Document, Keys, load

Kind = Literal["suite", "task", "recipe"]
Item = TypeVar("Item", Task, Model, Recipe, Adapter)

_LISTS = ("tasks", "models", "recipes", "adapters")


def load_suite(name_or_path: str) -> Suite:
    """The suite of that name or in that file, checked whole."""
    document = _open("suite", name_or_path)
    data = _mapping(document)
    own = {key: value for key, value in data.items() if key not in (*_LISTS, "weights")}
    suite = replace(
        record(Suite, {**own, "tasks": [], "models": []}, document),
        tasks=_items(Task, document, "tasks"),
        models=_items(Model, document, "models"),
        recipes=_items(Recipe, document, "recipes"),
        adapters=_items(Adapter, document, "adapters"),
        weights=_weighing(document),
    )
    suite_rules.check_suite(suite, document.at)
    return suite


def load_task(name_or_path: str) -> Task:
    """The task of that name or in that file."""
    return _checked(Task, _open("task", name_or_path))


def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of that name or in that file."""
    return _checked(Recipe, _open("recipe", name_or_path))


def load_model(name_or_uri: str) -> Model:
    """A model outside any suite: a uri, or the name of one of the tiny models."""
    uri = name_or_uri if ":" in name_or_uri else f"zoo:{name_or_uri}"
    name = uri.partition(":")[2].rstrip("/").rpartition("/")[2] or "model"
    model = _anchored(Model(name=name, uri=uri), Path.cwd())
    suite_rules.check_model(model, lambda *keys: name_or_uri)
    return model


def available(kind: Kind, base: Path | None = None) -> dict[str, Path]:
    """Every name that stands for a suite, task or recipe, and its file; `base` is the folder of a suite file."""
    files = (file for folder in reversed(_folders(kind, base)) for file in folder.glob("*.yaml"))
    return dict(sorted({file.stem: file for file in files}.items()))


def _folders(kind: Kind, base: Path | None) -> tuple[Path, ...]:
    """Where files of a kind are looked for, the first that has it wins: beside the suite, here, shipped."""
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


def _open(kind: Kind, name: str, base: Path | None = None, where: str = "") -> Document:
    """The file that a name or a path means; a path in a suite starts at the suite's folder."""
    if Path(name).suffix in (".yaml", ".yml") or len(Path(name).parts) > 1:
        path = (base or Path.cwd()) / Path(name).expanduser()
        if not path.is_file():
            raise SuiteError(f"{where or name}: no file {path}; give the path of a {kind}, or its name")
        return load(path)
    known = available(kind, base)
    if name not in known:
        raise UnknownName(kind, name, known, where)
    return load(known[name])


def _mapping(document: Document) -> dict[str, Any]:
    """What a file holds; its name is the file's unless it says otherwise."""
    if not isinstance(document.data, dict):
        raise SuiteError(f"{document.at()}: found {found(document.data)}; give a mapping of keys to values")
    return {"name": document.path.stem, **document.data}


def _weighing(document: Document) -> Weighing | None:
    """`weights: true`, `false`, or a mapping of what shall be other than usual."""
    said = document.data.get("weights", True)
    if isinstance(said, bool):
        return Weighing() if said else None
    if not isinstance(said, dict):
        raise SuiteError(f"{document.at('weights')}: found {found(said)}; give true or false or a mapping")
    return record(Weighing, said, document, "weights")


def _items(kind: type[Item], document: Document, key: str) -> tuple[Item, ...]:
    """One of the suite's lists."""
    entries = document.data.get(key, [])
    if not isinstance(entries, list):
        raise SuiteError(f"{document.at(key)}: found {found(entries)}; give a list")
    return tuple(_item(kind, entry, document, (key, n)) for n, entry in enumerate(entries))


def _item(kind: type[Item], entry: object, document: Document, keys: Keys) -> Item:
    if isinstance(entry, str) and kind in (Task, Recipe):
        word: Kind = "task" if kind is Task else "recipe"
        return _checked(kind, _open(word, entry, document.path.parent, document.at(*keys)))
    return _checked(kind, document, entry, keys)


def _checked(kind: type[Item], document: Document, entry: object = None, keys: Keys = ()) -> Item:
    """The record under some keys of a document, or that the whole document holds, once all its rules hold."""
    item = record(kind, entry if keys else _mapping(document), document, *keys)
    if not keys and item.name != document.path.stem:  # a suite would look for it in vain
        raise SuiteError(
            f"{document.at('name')}: found {item.name!r}; name it as its file, {document.path.stem!r}"
        )
    item = _anchored(item, document.path.parent)
    suite_rules.check(item, lambda *more: document.at(*keys, *more))
    return item


def _anchored(item: Item, folder: Path) -> Item:
    """The record with its relative paths made absolute."""
    match item:
        case Task():
            metrics = tuple(_anchor(metric, "evaluate:", folder) for metric in item.metrics)
            return replace(
                item,
                source=replace(item.source, uri=_anchor(item.source.uri, "file:", folder)),
                metrics=metrics,
            )
        case Model() | Adapter():
            return replace(item, uri=_anchor(item.uri, "file:", folder))
    return item


def _anchor(uri: str, scheme: str, folder: Path) -> str:
    place = uri.removeprefix(scheme)
    if place == uri or (scheme == "evaluate:" and not place.endswith(".py") and not place.startswith(".")):
        return uri
    return f"{scheme}{(folder / Path(place).expanduser()).resolve()}"
