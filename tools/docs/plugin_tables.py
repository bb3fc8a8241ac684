"""Write the tables of docs/reference.md that list plug-ins: rules, kinds, metrics, objectives and other names."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

from harness import backends, kinds, metrics, plugins
from harness.data import schemes as data_schemes
from harness.gates import rules
from harness.neural import objectives
from harness.tasks.rules import RULES as TRIVIAL
from tools.docs import comments
from tools.docs.tables import code, table
from tools.docs.values import default, kind, written


def tables() -> Iterator[str]:
    """Yield each table with its title."""
    yield _rules()
    yield _kinds()
    yield _metrics()
    yield _objectives()
    yield _others()


def _rules() -> str:
    rows = []
    for name in rules.names():
        rule = rules.find(name)
        module = import_module(f"harness.gates.rules.{name}")
        rows.append((code(name), _limit(rule.limit), rule.reads, comments.sentence(_first(module))))
    text = (
        "A gate demands one or several of these, each a key beside those above. A verdict reads a score, a difference on "
        "the same samples, a cost or the weights."
    )
    return f"## Rules\n\n{text}\n\n" + table(("key", "limit", "reads", "meaning"), rows)


def _limit(limit: Any) -> str:
    if not is_dataclass(limit):
        return kind(limit)
    said = comments.of_fields(limit)  # type: ignore[arg-type]  # a class, which mypy takes for a record
    parts = (f"{code(each.name)} ({said[each.name]})" for each in fields(limit))
    return "mapping of " + ", ".join(parts)


def _first(module: object) -> str:
    return (inspect.getdoc(module) or "").partition("\n")[0]


def _settings(record: type[Any]) -> str:
    """Return the fields of a record of settings, with their defaults."""
    return ", ".join(code(f"{each.name}: {default(each).strip('`')}") for each in fields(record))


def _kinds() -> str:
    rows = []
    for name in plugins.names("kinds"):
        found = kinds.find(name)
        rows.append(
            (
                code(name),
                found.about,
                ", ".join(map(code, found.columns)),
                ", ".join(map(code, found.answers)),
                _settings(found.settings),
            )
        )
    text = (
        "A task's `kind`: a model is asked for the first of the verbs that it has. See [kinds of task](kinds.md), or write "
        "[your own](extending.md#a-kind-of-task)."
    )
    return f"## Kinds\n\n{text}\n\n" + table(
        ("kind", "a model …", "columns", "verbs", "settings, with defaults"), rows
    )


def _metrics() -> str:
    rows = []
    for name in metrics.names():
        module = import_module(f"harness.metrics.{name}")
        scores = ", ".join(map(code, getattr(module, "NAMES", ("evaluate:NAME",))))
        settings = ", ".join(
            f"{code(f'{key}: {written(parameter.default)}')}"
            for key, parameter in inspect.signature(module.metric).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        )
        rows.append((code(name), scores, settings, _first(module)))
    text = (
        "In a task's `metrics`: a name, a name with settings (`{bleu: {tokenize: zh}}`), `evaluate:NAME`, or the path of "
        "[your own](extending.md#a-metric). A task's `primary` is one of the scores."
    )
    return f"## Metrics\n\n{text}\n\n" + table(
        ("metric", "scores", "settings, with defaults", "meaning"), rows
    )


def _objectives() -> str:
    rows = []
    for name in plugins.names("objectives"):
        found = objectives.find(name)
        rows.append(
            (
                code(name),
                _settings(found.settings),
                _first(import_module(f"harness.neural.objectives.{name}")),
            )
        )
    text = "In a recipe's `objective`: what training lowers."
    return f"## Objectives\n\n{text}\n\n" + table(("objective", "settings", "meaning"), rows)


def _others() -> str:
    rows = (
        ("columns", "keys of a source's `columns`", kinds.COLUMNS),
        ("trivial rules", "a task's `trivial`", TRIVIAL),
        ("sources of data", "schemes of a source's `uri`", data_schemes()),
        ("backends", "schemes of a model's `uri`", backends.schemes()),
        ("families", "a model's `family`", plugins.names("families")),
    )
    lines = ((what, where, ", ".join(map(code, names))) for what, where, names in rows)
    return "## Other names\n\n" + table(("names", "where", "which"), lines)
