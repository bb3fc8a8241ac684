"""What two RESULTs, A and B, did otherwise, a sentence each: a difference between their scores may come from it."""

from collections.abc import Iterator, Mapping
from os.path import commonprefix

from harness.result import Result, TaskFacts
from harness.types import System

BEFORE, LONGEST = 12, 60  # characters of a text that are shown: before the place where two part, and in all

Facts = Mapping[str, object]


def of_task(a: Result, b: Result, name: str) -> Iterator[str]:
    """How the task was asked, and of which data."""
    yield from _unlike("", _task(a, name), _task(b, name))


def of_base(a: Result, b: Result, model: str) -> Iterator[str]:
    """What a base's name stands for."""
    yield from _unlike(f"{model}'s ", _base(a, model), _base(b, model))


def of_adapter(a: Result, b: Result, system: System) -> Iterator[str]:
    """What an adapter's name stands for: where it came from, and by which recipe it was trained."""
    yield from _unlike(f"{system}'s ", _adapter(a, system), _adapter(b, system))


def _task(result: Result, name: str) -> Facts:
    task: TaskFacts = next(one for one in result.suite.tasks if one.name == name)
    digests = result.manifest.get("sources")
    return {
        "prompt": task.prompt,
        "source": task.source,
        "data digest": digests.get(name) if isinstance(digests, Mapping) else None,
        "cluster": task.cluster,
        "primary metric": task.primary,
    }


def _base(result: Result, model: str) -> Facts:
    models = (one for one in result.suite.models if one.name == model)
    return next(({"uri": one.uri, "revision": one.revision, "dtype": one.dtype} for one in models), {})


def _adapter(result: Result, system: System) -> Facts:
    adapters = (one for one in result.suite.adapters if (one.model, one.name) == (system.model, system.adapter))
    for one in adapters:
        recipe = next((recipe for recipe in result.suite.recipes if recipe.get("name") == one.recipe), {})
        own = {"uri": one.uri, "training task": one.trained_on, "seed": one.seed, "recipe": one.recipe}
        return own | {f"recipe's {key}": value for key, value in recipe.items() if key not in ("name", "seeds")}
    return {}


def _unlike(whose: str, a: Facts, b: Facts) -> Iterator[str]:
    """What both know and only one of them does not share."""
    for name in a:
        if name in b and a[name] != b[name]:
            ours, theirs = _apart(a[name], b[name])
            yield f"{whose}{name} differs: {ours} in A, {theirs} in B"


def _apart(one: object, other: object) -> tuple[str, str]:
    """Both as a line shows them; of long texts what begins a little before they part."""
    if not isinstance(one, str) or not isinstance(other, str):
        return _said(one), _said(other)
    start = max(0, len(commonprefix([one, other])) - BEFORE) if max(len(one), len(other)) > LONGEST else 0
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    before, after = "…" if start else "", "…" if len(text) > start + LONGEST else ""
    return repr(before + text[start : start + LONGEST] + after)


def _said(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
