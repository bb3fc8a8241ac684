"""The manifest of a RESULT for a page: versions, revisions, digests, hardware, settings."""

from collections.abc import Mapping, Sequence

from harness import text as words
from harness.results import ImportedFile, ModelFacts, Result, TaskFacts
from harness.types import Score

Manifest = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # heading -> name and value


def manifest(result: Result) -> Manifest:
    """Return headings with names and values; empty ones are left out."""
    said = result.manifest
    run: list[tuple[str, object]] = [
        ("harness", said.harness),
        ("created", said.created),
        ("seed", said.seed),
        ("sample limit", result.suite.limit),
        ("commit", said.commit),
        ("device", said.device),
        ("python", said.python),
        ("platform", said.platform),
    ]
    groups: list[tuple[str, list[tuple[str, object]]]] = [
        ("Run", run),
        ("Hardware", _items(said.hardware)),
        ("Runtime", _items(said.runtime)),
        ("Models", [(model.name, _model(model)) for model in result.suite.models]),
        ("Data", [(f"{task.name}", _source(task, said.sources)) for task in result.suite.tasks]),
        ("Metrics", [*_signatures(result.scores)]),
        ("Imported", [(file.name, _file(file)) for file in said.imported]),
        ("Recipes", [(str(recipe.get("name")), _recipe(recipe)) for recipe in result.suite.recipes]),
        ("Libraries", _items(said.libraries)),
    ]
    return tuple(
        (heading, tuple((name, str(value)) for name, value in items if value not in (None, "")))
        for heading, items in groups
        if any(value not in (None, "") for _, value in items)
    )


def _items(facts: Mapping[str, object]) -> list[tuple[str, object]]:
    return [(key.replace("_", " "), value) for key, value in facts.items()]


def _model(model: ModelFacts) -> str:
    size = f"{words.count(model.parameters)} parameters" if model.parameters else ""
    said = [
        model.uri,
        model.family or "",
        size,
        model.dtype or "",
        f"stored as {model.stored}" if model.stored else "",
        f"licence {model.licence}" if model.licence else "",
        f"revision {model.revision}" if model.revision else "",
    ]
    return ", ".join(part for part in said if part)


def _source(task: TaskFacts, digests: Mapping[str, str]) -> str:
    digest = digests.get(task.name)
    said = [task.source, task.licence or "", f"digest {digest}" if digest else "", f"shares {task.share}"]
    return ", ".join(part for part in said if part)


def _file(file: ImportedFile) -> str:
    made = f"of {file.created}" if file.created else ""
    return ", ".join(part for part in (file.program, made, f"digest {file.digest[:16]}") if part)


def _signatures(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """Return each signature with the names of the scores that have it."""
    found: dict[str, list[str]] = {}
    for score in scores:
        found.setdefault(score.signature, []).append(words.metric(score.metric))
    return [(", ".join(dict.fromkeys(names)), signature) for signature, names in found.items()]


def _recipe(recipe: Mapping[str, object]) -> str:
    said = []
    for key, value in recipe.items():
        if key == "name" or value is None or value is False or value == {}:
            continue
        shown = value
        if isinstance(value, list | tuple):
            shown = " ".join(map(str, value))
        elif isinstance(value, Mapping):
            shown = " ".join(f"{name} {inner}" for name, inner in value.items() if inner is not None)
        said.append(f"{key.replace('_', ' ')} {shown}")
    return ", ".join(said)
