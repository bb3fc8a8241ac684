"""List what can be named in a suite or on the command line, and say what each thing is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from harness import text as words
from harness.errors import HarnessError
from harness.files import shipped
from harness.plugins.outline import Outline, outlines
from harness.suite.named import Kind, available

INDENT = 4  # columns before what is said of a name
NARROWEST = 40  # columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedName:
    """A thing that can be named."""

    name: str
    about: str  # a sentence, or several
    details: tuple[str, ...] = ()  # a line each


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A kind of thing that can be named."""

    about: str
    entries: Callable[[], Iterator[ListedName]]


def lines(kind: str, width: int) -> Iterator[str]:
    """Yield each name of a kind, with what it is below it."""
    for entry in LISTINGS[kind].entries():
        yield entry.name
        for text in filter(None, (entry.about, *entry.details)):
            indent = " " * INDENT
            yield from wrap(
                text,
                max(width, NARROWEST),
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )


def names(kind: str) -> Iterator[str]:
    """Yield the names of a kind alone."""
    yield from (entry.name for entry in LISTINGS[kind].entries())


def kinds() -> Iterator[str]:
    """Yield what can be listed."""
    longest = max(map(len, LISTINGS))
    yield from (f"{kind:<{longest}}  {listing.about}" for kind, listing in LISTINGS.items())


def _files(kind: Kind, details: Callable[[Mapping[str, Any]], str]) -> Callable[[], Iterator[ListedName]]:
    def entries() -> Iterator[ListedName]:
        from harness.files.yaml import load, shown

        for name, path in available(kind).items():
            own = () if _is_shipped(path) else (f"your own: {shown(path)}",)
            try:
                data = load(path).data
            except HarnessError as error:
                yield ListedName(name=name, about=f"cannot be read: {error}", details=own)
                continue
            found = data if isinstance(data, dict) else {}
            about = str(found.get("about", "")).strip()
            yield ListedName(name=name, about=about, details=(details(found), *own))

    return entries


def _is_shipped(path: Path) -> bool:
    return any(
        path.is_relative_to(folder) for folder in (shipped.folder("suites"), shipped.folder("adapters"))
    )


def _task(data: Mapping[str, Any]) -> str:
    source = data.get("source")
    uri = source.get("uri", "?") if isinstance(source, dict) else "?"
    return f"data {uri}; metrics {_listed(data.get('metrics'))}; decided by {data.get('primary', '?')}"


def _suite(data: Mapping[str, Any]) -> str:
    parts = [
        f"{key} {_listed(data[key])}" for key in ("tasks", "models", "recipes", "adapters") if data.get(key)
    ]
    gates = data.get("gates")
    return "; ".join(
        [*parts, *([words.plural(len(gates), "gate")] if isinstance(gates, list) and gates else [])]
    )


def _recipe(data: Mapping[str, Any]) -> str:
    keys = (
        "rank",
        "alpha",
        "targets",
        "epochs",
        "steps",
        "batch_size",
        "learning_rate",
        "seeds",
        "objective",
    )
    parts = [f"{key} {_listed(data[key])}" for key in keys if key in data]
    swept = data.get("sweep")
    if isinstance(swept, dict):
        parts += [f"sweeps {key} over {_listed(values)}" for key, values in swept.items()]
    if "halving" in data:
        parts.append("one adapter by halving")
    return ", ".join(parts)


def _listed(value: object) -> str:
    """Return a value of a file in words: of records in a list, their names."""
    if not isinstance(value, list):
        return str(value.get("name", "?")) if isinstance(value, dict) else f"{value}"
    return ", ".join(
        str(item.get("name", next(iter(item), "?"))) if isinstance(item, dict) else f"{item}"
        for item in value
    )


def _models() -> Iterator[ListedName]:
    """Yield the tiny models, with what their files say."""
    from harness import families
    from harness.checkpoints import folder as checkpoint
    from harness.checkpoints.window import context_window

    for name in shipped.zoo_names():
        folder = shipped.zoo_folder(name)
        found = checkpoint.read(folder)
        window = context_window(checkpoint.config(folder / checkpoint.CONFIG))
        seen = f"a context window of {window:,} tokens" if window else "no limit of its context window"
        size = f"{found.parameters / 1e6:.1f} M parameters"
        yield ListedName(
            name=f"zoo:{name}", about=f"family {families.of(found.model_type).name}, {size}, {seen}"
        )


def _plugins(group: str, details: Callable[[Outline], Sequence[str]]) -> Callable[[], Iterator[ListedName]]:
    def entries() -> Iterator[ListedName]:
        for outline in outlines(group):
            yield ListedName(name=outline.name, about=outline.about, details=tuple(details(outline)))

    return entries


def _metric(outline: Outline) -> list[str]:
    found = []
    if scores := outline.values.get("NAMES"):
        found.append(f"scores: {', '.join(scores)}")
    if outline.settings:
        found.append(f"settings: {', '.join(outline.settings)}")
    return found


def _said(**said: str) -> Callable[[Outline], list[str]]:
    """Return a function that says some fields of a plug-in's record, each with its heading."""

    def details(outline: Outline) -> list[str]:
        return [
            f"{heading}: {_words(outline.fields[name])}"
            for name, heading in said.items()
            if outline.fields.get(name) not in (None, (), "")
        ]

    return details


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


LISTINGS: Mapping[str, Listing] = {
    "suites": Listing(
        about="what `harness run` runs: tasks, models, recipes, gates", entries=_files("suite", _suite)
    ),
    "tasks": Listing(
        about="what models are asked, and how answers are scored", entries=_files("task", _task)
    ),
    "recipes": Listing(about="how adapters are trained", entries=_files("recipe", _recipe)),
    "models": Listing(
        about="the tiny models; any folder or model of the hub can be named too", entries=_models
    ),
    "metrics": Listing(
        about="how answers are scored: `metrics:` of a task", entries=_plugins("metrics", _metric)
    ),
    "kinds": Listing(
        about="kinds of task: `kind:` of a task", entries=_plugins("kinds", _said(verb="asks of a model"))
    ),
    "rules": Listing(about="rules of gates: keys of a gate", entries=_plugins("rules", _said())),
    "objectives": Listing(
        about="what training lowers: `objective:` of a recipe",
        entries=_plugins("objectives", _said(unit="unit of its loss")),
    ),
    "families": Listing(
        about="model families: `family:` of a model, found by its config.json",
        entries=_plugins("families", _said(model_types="model types")),
    ),
    "architectures": Listing(
        about="how models read prompts and answers, found by their config.json",
        entries=_plugins("architectures", _said()),
    ),
    "backends": Listing(
        about="what answers for a model: the scheme of its `uri:`",
        entries=_plugins("backends", _said(schemes="schemes", options="keys of a model that it reads")),
    ),
    "data": Listing(
        about="sources of samples: the scheme of a source's `uri:`", entries=_plugins("data", _said())
    ),
    "engines": Listing(about="what runs the steps: `--engine`", entries=_plugins("engines", _said())),
    "exports": Listing(about="formats of `harness export --to`", entries=_plugins("exports", _said())),
    "imports": Listing(about="formats of `harness import`", entries=_plugins("imports", _said())),
}
