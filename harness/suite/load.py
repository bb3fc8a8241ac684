"""Load a suite file: YAML to a Suite in which every name has been found.

A task or a recipe is a mapping in the suite, or the name of a file: `tasks/NAME.yaml`, `adapters/NAME.yaml`.
A recipe with a `sweep` stands for a grid of recipes (`sweep.py`).
Relative paths of models, adapters and data start at the YAML file that names them. A gate's baseline is a file of the
user's, so its path starts at the working folder; a shipped suite's baseline is shipped too, and used unless the user has
a file of that name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from harness import backends, kinds, lm_eval, plugins
from harness.checkpoints import written
from harness.data import is_local
from harness.errors import SuiteError, UnknownName
from harness.files import python_data, shipped
from harness.files.validation import At, checked, found, record
from harness.files.yaml import Document, Keys, load
from harness.neural import objectives
from harness.plugins.choice import PluginChoice, parse
from harness.plugins.files import PluginFile, group_of, plugin_file
from harness.suite import gates, halving, lm_eval_task, sweep
from harness.suite import rules as suite_rules
from harness.suite.lm_eval_task import LmEvalFile
from harness.suite.named import opened
from harness.types import (
    FAMILY_ERROR,
    Adapter,
    Gate,
    Model,
    Recipe,
    ServerSettings,
    Suite,
    Task,
    Uri,
    Weighing,
)

Item = TypeVar("Item", Task, Model, Recipe, Adapter, Gate)

NOT_IN_SUITES = ("exports", "imports", "steps")  # groups whose plug-ins a suite cannot list

_LISTS = ("tasks", "models", "recipes", "adapters", "gates")


def load_suite(given: str | Mapping[str, object]) -> Suite:
    """Return a suite, completely checked; from here on its plug-ins are found by name.

    `given` is a name, the path of a file, or a mapping with the content of such a file.
    """
    document = _suite(given)
    data = _mapping(document)
    own = {key: value for key, value in data.items() if key not in (*_LISTS, "weights", "plugins")}
    _use_listed(document)
    suite = replace(
        record(Suite, {**own, "tasks": [], "models": []}, document),
        tasks=_items(Task, document, "tasks"),
        models=_items(Model, document, "models"),
        adapters=_items(Adapter, document, "adapters"),
        gates=tuple(_with_baseline(gate, document.path.parent) for gate in _items(Gate, document, "gates")),
        weights=_weighing(document),
        plugins=_paths(plugins.used()),
    )
    grids = _recipes(document)
    entries = [n for n, grid in enumerate(grids) for _ in grid]

    def at(*keys: str | int) -> str:
        match keys:
            case ("recipes", int(n), *more):  # a recipe of a grid stands at the entry that it comes from
                return document.at("recipes", entries[n], *more)
        return document.at(*keys)

    suite = _with_forgetting(
        document, replace(suite, recipes=tuple(recipe for grid in grids for recipe in grid))
    )
    suite_rules.check_suite(suite, at)
    return suite


def place(given: str | Mapping[str, object]) -> At:
    """Return a function that gives the place of a suite's key, FILE:LINE: key, for messages; files are read only then.

    The place of a key of a task that has a file of its own is in that file.
    """

    def at(*keys: str | int) -> str:
        document = _suite(given)
        match keys:
            case ("tasks", int(n), *more):
                listed = document.data["tasks"]
                where: Keys = ("tasks", n) if n < len(listed) else ("forgetting",)  # which adds a task
                entry = listed[n] if n < len(listed) else document.data["forgetting"]
                if (file := _lm_eval(entry, document, where)) is not None:
                    return file.at(*more)
                if isinstance(entry, str):
                    return task_place(entry, document.path.parent)(*more)
        return document.at(*keys)

    return at


def task_place(name_or_path: str, base: Path | None = None) -> At:
    """Return a function that gives the place of a key in a task's file, for messages; the file is read only then."""
    return lambda *keys: opened("task", name_or_path, base).at(*keys)


def use_plugins(given: str | Mapping[str, object]) -> None:
    """Let the files that a suite lists under `plugins` be found by name; nothing else of the suite is checked."""
    document = _suite(given)
    _mapping(document)
    _use_listed(document)


def with_adapters(suite: Suite, places: Sequence[str]) -> Suite:
    """Return the suite with its adapters at other places: `NAME=./PATH` or `NAME=OWNER/NAME@REVISION`."""
    adapters = {adapter.name: adapter for adapter in suite.adapters}
    for option in places:
        name, equals, place = option.partition("=")
        if not equals or not place:
            raise SuiteError(f"--adapter {option}: write NAME=./PATH or NAME=OWNER/NAME@REVISION")
        if name not in adapters:
            raise UnknownName("adapter in this suite", name, adapters, "--adapter")
        where = f"--adapter {option}"
        uri, revision = written.without_revision(written.adapter_uri(place, Path.cwd(), where))
        fresh = replace(adapters[name], uri=uri, revision=revision)
        suite_rules.check_adapter(fresh, lambda *keys, where=where: where)
        suite_rules.check_base(suite, fresh, lambda *keys, where=where: where)
        adapters[name] = fresh
    return replace(suite, adapters=tuple(adapters.values()))


def load_rules(rules: str | Mapping[str, object]) -> tuple[tuple[Gate, ...], float]:
    """Return the gates of a file of gates, or of a mapping with its content, and the `family_error` that it sets for them.

    `plugins` in such a file lists the user's own metrics that a RESULT was scored with, so that its gates can be judged.
    """
    if isinstance(rules, str) and not Path(rules).is_file():
        raise SuiteError(f"{rules}: no such file; give the path of a YAML file with `gates:`")
    document = load(Path(rules)) if isinstance(rules, str) else python_data.document(rules, "rules")
    known = {"gates", "family_error", "plugins"}
    for key in _mapping(document).keys() - {"name"} - known:
        raise UnknownName("key", key, known, document.at(key))
    _use_listed(document)
    error = document.data.get("family_error", FAMILY_ERROR)
    if not isinstance(error, int | float) or isinstance(error, bool):
        raise SuiteError(f"{document.at('family_error')}: found {found(error)}; give a number")
    suite_rules.check_family_error(float(error), document.at)
    found_gates = _items(Gate, document, "gates")
    if not found_gates:
        raise SuiteError(f"{document.at('gates')}: no gates; name at least one, see docs/gates.md")
    return found_gates, float(error)


def load_task(name_or_path: str) -> Task:
    """Return the task of that name or in that file."""
    plugins.use(())
    document = opened("task", name_or_path)
    return _checked(Task, document, _filed(document), ())


def load_recipes(name_or_path: str) -> tuple[Recipe, ...]:
    """Return the recipe of that name or in that file; several recipes if it has a sweep."""
    document = opened("recipe", name_or_path)
    return _grid(document, _filed(document), ())


def load_model(named: str, where: str = "", family: str | None = None) -> Model:
    """Return a model that no suite names: a uri, a folder's path, OWNER/NAME of the hub, or the name of a tiny model.

    Its name is the last part of its place, as far as a name may have such characters.
    """
    where = where or named
    uri, revision = written.without_revision(written.model_uri(named, Path.cwd(), where, backends.schemes()))
    last = Uri.parse(uri).place.rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).lstrip("._-") or "model"
    model = Model(name=name, uri=uri, revision=revision, family=family)
    suite_rules.check_model(model, lambda *keys: where)
    return model


def _suite(given: str | Mapping[str, object]) -> Document:
    return opened("suite", given) if isinstance(given, str) else python_data.document(given, "suite")


def _mapping(document: Document) -> dict[str, Any]:
    """Return a file's mapping, with the file's name as its name if the mapping gives none."""
    if not isinstance(document.data, dict):
        raise SuiteError(f"{document.at()}: found {found(document.data)}; give a mapping of keys to values")
    return {"name": document.path.stem, **document.data}


def _filed(document: Document) -> dict[str, Any]:
    """Return the mapping of a task's or a recipe's file, whose name must be the file's, by which it is found."""
    data = _mapping(document)
    if data["name"] != document.path.stem:
        raise SuiteError(
            f"{document.at('name')}: found {data['name']!r}; name it as its file, {document.path.stem!r}"
        )
    return data


def _with_baseline(gate: Gate, folder: Path) -> Gate:
    """Return a gate of a shipped suite with the shipped baseline, unless the user has a file of that name."""
    if gate.against is None or folder != shipped.folder("suites") or Path(gate.against).exists():
        return gate
    beside = folder.parent / gate.against
    return replace(gate, against=str(beside)) if beside.is_file() else gate


def _with_forgetting(document: Document, suite: Suite) -> Suite:
    """Return the suite with the task that `forgetting` names, which need not be among its tasks."""
    asked = suite.forgetting
    if asked is None or any(task.name == asked for task in suite.tasks):
        return suite
    task = _item(Task, asked, document, ("forgetting",))
    if any(task.name == other.name for other in suite.tasks):
        return replace(suite, forgetting=task.name)
    return replace(suite, forgetting=task.name, tasks=(*suite.tasks, task))


def _weighing(document: Document) -> Weighing | None:
    """Return the settings of a suite's `weights`, which is true, false, or a mapping; None for false."""
    weights = document.data.get("weights", True)
    if isinstance(weights, bool):
        return Weighing() if weights else None
    if not isinstance(weights, dict):
        raise SuiteError(f"{document.at('weights')}: found {found(weights)}; give true or false or a mapping")
    return record(Weighing, weights, document, "weights")


def _entries(document: Document, key: str) -> list[object]:
    """Return one of the suite's lists, as it is written."""
    entries = document.data.get(key, [])
    if not isinstance(entries, list):
        raise SuiteError(f"{document.at(key)}: found {found(entries)}; give a list")
    return entries


def _items(kind: type[Item], document: Document, key: str) -> tuple[Item, ...]:
    """Return one of the suite's lists as records."""
    return tuple(_item(kind, entry, document, (key, n)) for n, entry in enumerate(_entries(document, key)))


def _item(kind: type[Item], entry: object, document: Document, keys: Keys) -> Item:
    if kind is Task and (file := _lm_eval(entry, document, keys)) is not None:
        return _checked(kind, file, file.data, ())
    if isinstance(entry, str) and kind is Task:
        file = opened("task", entry, document.path.parent, document.at(*keys))
        return _checked(kind, file, _filed(file), ())
    return _checked(kind, document, entry, keys)


def _lm_eval(entry: object, document: Document, keys: Keys) -> Document | None:
    """Return the task that a task file of lm-evaluation-harness stands for; None for any other entry.

    `lm-eval:PATH`, or a mapping with `lm_eval: PATH` and how the file is used.
    """
    given: dict[str, Any]
    match entry:
        case str() if entry.startswith(lm_eval.ENTRY):
            given = {"path": entry.removeprefix(lm_eval.ENTRY)}
        case {"lm_eval": path, **rest}:
            given = {**{str(key): value for key, value in rest.items()}, "path": path}
        case _:
            return None
    chosen = checked(
        LmEvalFile, given, lambda *more: document.at(*keys, *(("lm_eval",) if more == ("path",) else more))
    )
    path = (document.path.parent / Path(chosen.path).expanduser()).resolve()
    if not path.is_file():
        raise SuiteError(
            f"{document.at(*keys)}: no file {path}; a path starts at the folder of the suite's file"
        )
    return lm_eval_task.document(path, shots=chosen.shots, trust_code=chosen.trust_code)


def _recipes(document: Document) -> list[tuple[Recipe, ...]]:
    """Return the recipes of each entry: several for an entry with a sweep."""
    grids = []
    for n, entry in enumerate(_entries(document, "recipes")):
        if isinstance(entry, str):
            file = opened("recipe", entry, document.path.parent, document.at("recipes", n))
            grids.append(_grid(file, _filed(file), ()))
        else:
            grids.append(_grid(document, entry, ("recipes", n)))
    return grids


def _grid(document: Document, entry: object, keys: Keys) -> tuple[Recipe, ...]:
    """Return the recipe of an entry, or all recipes of its sweep; with halving, the sweep is one recipe."""
    if not isinstance(entry, dict):
        return (_checked(Recipe, document, entry, keys),)
    asked = halving.settings(entry, document, keys)
    plain = {key: value for key, value in entry.items() if key != "halving"}
    cells = tuple(
        _checked(Recipe, where, recipe, keys) for recipe, where in sweep.recipes(plain, document, keys)
    )
    if asked is None:
        return cells
    return (halving.group(cells, asked, entry, lambda *more: document.at(*keys, *more)),)


def _checked(kind: type[Item], document: Document, entry: object, keys: Keys) -> Item:
    """Return the record of the entry under some keys of a document; raise SuiteError if it breaks a rule."""
    if kind is Task:
        entry = _with_metrics(entry, document, keys)
    if kind is Recipe:
        entry = _in_full(entry)
    item = (
        gates.gate(entry, lambda *more: document.at(*keys, *more))
        if kind is Gate
        else record(kind, entry, document, *keys)
    )
    item = _anchored(item, document.path.parent, lambda *more: document.at(*keys, *more))
    suite_rules.check(item, lambda *more: document.at(*keys, *more))
    if isinstance(item, Recipe):
        _check_objective(item, document, (*keys, "objective"))
        if item.peft:
            from harness.neural.lora import kinds as adapters  # imports peft, which takes seconds

            written_as = entry if isinstance(entry, dict) else {}
            adapters.check(item, written_as, lambda *more: document.at(*keys, *more))
    return item


def _in_full(recipe: object) -> object:
    """Return a recipe's entry with `objective: NAME` and `start: NAME` written out as mappings."""
    if not isinstance(recipe, dict):
        return recipe
    full = dict(recipe)
    for key, inner in (("objective", "name"), ("start", "recipe")):
        if isinstance(recipe.get(key), str):
            full[key] = {inner: recipe[key]}
    return full


def _check_objective(recipe: Recipe, document: Document, keys: Keys) -> None:
    """Raise SuiteError if the objective does not exist, or does not have these settings."""
    name = recipe.objective.get("name")
    if not isinstance(name, str):
        wrong = "no name" if name is None else found(name)
        raise SuiteError(
            f"{document.at(*keys, 'name')}: found {wrong}; give one of {', '.join(objectives.names())}"
        )
    if name == objectives.AUTO:
        for setting in objectives.own_settings(recipe.objective):
            raise SuiteError(
                f"{document.at(*keys, setting)}: objective 'auto' has no settings; name the objective"
            )
        return
    named = (*keys, "name")
    objective = objectives.find(name, document.at(*(named if named in document.lines else keys)))
    settings = record(objective.settings, objectives.own_settings(recipe.objective), document, *keys)
    objective.check(settings, lambda *more: document.at(*keys, *more))


def _anchored(item: Item, folder: Path, at: At) -> Item:
    """Return the record with the uri that it means, and with its relative paths made absolute."""
    match item:
        case Task():
            uri = written.source_uri(item.source.uri, folder)
            if is_local(uri):
                scheme, _, place = uri.partition(":")
                uri = f"{scheme}:{(folder / Path(place).expanduser()).resolve()}"
            labelled = item.calibrate
            if labelled is not None:
                place = labelled.removeprefix("file:")
                labelled = f"file:{(folder / Path(place).expanduser()).resolve()}"
            source = replace(item.source, uri=uri, columns=_columns(item, at))
            return replace(item, source=source, calibrate=labelled)
        case Model():
            uri = written.model_uri(item.uri, folder, at("uri"), backends.schemes())
            return replace(item, uri=uri, server=_anchored_server(item.server, folder))
        case Adapter():
            return replace(item, uri=written.adapter_uri(item.uri, folder, at("uri")))
    return item


def _anchored_server(server: ServerSettings | None, folder: Path) -> ServerSettings | None:
    """Return the settings of a server with the path of its tokenizer made absolute."""
    if server is None or server.tokenizer is None or not server.tokenizer.startswith("file:"):
        return server
    place = Path(server.tokenizer.removeprefix("file:")).expanduser()
    return replace(server, tokenizer=f"file:{(folder / place).resolve()}")


def _columns(task: Task, at: At) -> Mapping[str, str | tuple[str, ...]]:
    """Return the columns that a task's samples are read from: those that it names, and the others that its kind reads."""
    columns = dict(task.source.columns)
    read = kinds.find(task.kind, at("kind")).columns
    if "reference" not in read:
        columns.setdefault("reference", ())
    for key in read:
        if key not in kinds.USUAL:
            columns.setdefault(key, key)
    return columns


# Plug-ins of the user's own project, and metrics with settings.


def _use_listed(document: Document) -> None:
    """Let the files that the document lists under `plugins` be found by name, and no other files."""
    plugins.use(())
    for group, path, where in _plugin_paths(document):
        _use(group, path, where)


def _plugin_paths(document: Document) -> Iterator[tuple[str, Path, str]]:
    """Yield group, path and line of each file under `plugins:`, which is a list, or a mapping of lists by group."""
    listed = document.data.get("plugins", [])
    groups = [group for group in plugins.GROUPS if group not in NOT_IN_SUITES]
    lists = listed if isinstance(listed, dict) else {"": listed}
    for group, entries in lists.items():
        keys: Keys = ("plugins", group) if group else ("plugins",)
        if group and group not in groups:
            raise UnknownName("group of plug-ins", group, groups, document.at(*keys))
        if not isinstance(entries, list):
            raise SuiteError(f"{document.at(*keys)}: found {found(entries)}; give a list of paths")
        for n, entry in enumerate(entries):
            where = document.at(*keys, n)
            if not isinstance(entry, str) or not entry.endswith(".py"):
                raise SuiteError(f"{where}: found {found(entry)}; give the path of a Python file")
            path = _python_file(document.path.parent / Path(entry).expanduser(), where)
            yield group or group_of(path, groups, where), path, where


def _python_file(path: Path, where: str) -> Path:
    if not path.is_file():
        raise SuiteError(f"{where}: no file {path}; a path starts at the folder of the file that names it")
    return path.resolve()


def _use(group: str, path: Path, where: str) -> None:
    """Let the file be found by its name; raise SuiteError if another plug-in has that name."""
    file = plugin_file(group, path)
    plugins.refuse_taken(file, where)
    for other in plugins.used():
        if (other.group, other.name) == (group, file.name) and other.path != path:
            raise SuiteError(f"{where}: {path.name}: {other.path} is named so too; rename one of them")
    plugins.use([*plugins.used(), file])


def _paths(files: Sequence[PluginFile]) -> dict[str, dict[str, str]]:
    paths: dict[str, dict[str, str]] = {}
    for file in sorted(files, key=lambda file: (file.group, file.name)):
        paths.setdefault(file.group, {})[file.name] = str(file.path)
    return paths


def _with_metrics(entry: object, document: Document, keys: Keys) -> object:
    """Return the task's entry with each of its metrics as one text: `bleu(tokenize=zh)`, `my_metric.py`."""
    if not isinstance(entry, dict) or not isinstance(entry.get("metrics"), list):
        return entry
    metrics = [_metric(metric, document, (*keys, "metrics", n)) for n, metric in enumerate(entry["metrics"])]
    return {**entry, "metrics": metrics}


def _metric(metric: object, document: Document, keys: Keys) -> object:
    """Return a task's metric as one text; raise SuiteError if it is neither a name nor a name with settings."""
    match metric:
        case str():
            choice = parse(metric, document.at(*keys))
        case dict() if len(metric) == 1 and isinstance(settings := next(iter(metric.values())), dict):
            (name,) = metric
            choice, keys = replace(parse(name, document.at(*keys)), settings=settings), (*keys, name)
        case dict():
            raise SuiteError(
                f"{document.at(*keys)}: found a mapping; give a metric and its settings: `rouge: {{stemmer: false}}`"
            )
        case _:
            return metric  # not the name of a metric: refused with the rest of the task
    return metric_named(choice, document.path.parent, lambda *more: document.at(*keys, *more))


def metric_named(choice: PluginChoice, folder: Path, at: At) -> str:
    """Return the text of the metric that the user chose, its settings checked; relative paths start at the folder.

    A metric that is a file is called by the file's name: where the file lies is in the suite's `plugins`, and its digest in
    the ids of the steps that use it, so two copies of a project have the same steps.
    """
    from harness import metrics
    from harness.tasks.metric_names import anchored

    if choice.path is not None:
        path = _python_file(folder / choice.path, at())
        _use("metrics", path, at())
        choice = replace(choice, name=path.name)
    for file in plugins.used():
        if (file.group, file.name) == ("metrics", choice.name):
            choice = replace(choice, name=file.path.name)
    return anchored(metrics.canonical(choice, at), folder)
