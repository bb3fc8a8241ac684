"""The manifest of a RESULT for a page: versions, revisions, digests, hardware, settings."""

from collections.abc import Mapping, Sequence

from harness import text as words
from harness.results import ModelFacts, Result, TaskFacts
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
        ("device", said.device),
        ("python", said.python),
        ("platform", said.platform),
    ]
    groups: list[tuple[str, list[tuple[str, object]]]] = [
        ("Run", run),
        ("Hardware", _items(said.hardware)),
        ("Runtime", _items(said.runtime)),
        ("Models", [(one.name, _model(one)) for one in result.suite.models]),
        ("Data", [(f"{one.name}", _source(one, said.sources)) for one in result.suite.tasks]),
        ("Metrics", [*_signatures(result.scores)]),
        ("Recipes", [(str(one.get("name")), _recipe(one)) for one in result.suite.recipes]),
        ("Libraries", _items(said.libraries)),
    ]
    return tuple(
        (heading, tuple((name, str(value)) for name, value in items if value not in (None, "")))
        for heading, items in groups
        if any(value not in (None, "") for _, value in items)
    )


def _items(facts: Mapping[str, object]) -> list[tuple[str, object]]:
    return [(key.replace("_", " "), value) for key, value in facts.items()]


def _model(one: ModelFacts) -> str:
    size = f"{words.count(one.parameters)} parameters" if one.parameters else ""
    said = [
        one.uri,
        one.family or "",
        size,
        one.dtype or "",
        f"licence {one.licence}" if one.licence else "",
        f"revision {one.revision}" if one.revision else "",
    ]
    return ", ".join(part for part in said if part)


def _source(one: TaskFacts, digests: Mapping[str, str]) -> str:
    digest = digests.get(one.name)
    said = [one.source, one.licence or "", f"digest {digest}" if digest else "", f"shares {one.share}"]
    return ", ".join(part for part in said if part)


def _signatures(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """Return each signature with the names of the scores that have it."""
    found: dict[str, list[str]] = {}
    for one in scores:
        found.setdefault(one.signature, []).append(words.metric(one.metric))
    return [(", ".join(dict.fromkeys(names)), signature) for signature, names in found.items()]


def _recipe(one: Mapping[str, object]) -> str:
    said = []
    for key, value in one.items():
        if key == "name" or value is None or value is False:
            continue
        shown = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
        said.append(f"{key.replace('_', ' ')} {shown}")
    return ", ".join(said)
