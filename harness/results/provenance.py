"""Say how two RESULTs, A and B, were made differently, since a difference of scores may come from that."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from harness.results import Result, TaskFacts, read_samples
from harness.types import System

BEFORE, LONGEST = 12, 60  # characters of a text that are shown: before the first difference, and in all

Facts = Mapping[str, object]


def of_task(a: Result, b: Result, name: str) -> Iterator[str]:
    """Yield how the task's settings and data differ."""
    yield from _unlike("", _task(a, name), _task(b, name))
    ours, theirs = a.task(name).samples, b.task(name).samples
    withheld = name in (*a.withheld, *b.withheld)
    if ours and theirs and ours != theirs and not withheld:  # as where one side was asked more samples
        yield from _of_samples(a, b, name)


def of_prompts(a: Result, b: Result, task: str, one: System, other: System) -> Iterator[str]:
    """Yield a sentence if the two models read different prompts for the same samples."""
    ours, theirs = (
        {(answers.task, answers.system): answers for answers in result.answers}.get((task, system))
        for result, system in ((a, one), (b, other))
    )
    same = a.task(task).samples == b.task(task).samples
    if same and ours and theirs and ours.prompts and theirs.prompts and ours.prompts != theirs.prompts:
        yield "the prompts as they were written differ (template, examples, chat format or what was cut)"


def of_run(a: Result, b: Result) -> Iterator[str]:
    """Yield how device, harness and library versions differ."""
    yield from _unlike("", _run(a), _run(b))


def of_base(a: Result, b: Result, model: str) -> Iterator[str]:
    """Yield how the base models of the same name differ."""
    yield from _unlike(f"{model}'s ", _base(a, model), _base(b, model))


def of_adapter(a: Result, b: Result, system: System) -> Iterator[str]:
    """Yield how the adapters of the same name differ: in origin, recipe, seed and training task."""
    yield from _unlike(f"{system}'s ", _adapter(a, system), _adapter(b, system))


def _task(result: Result, name: str) -> Facts:
    """Return the task's settings; an older result does not record its decode settings."""
    task = result.task(name)
    data = result.manifest.sources.get(name)
    return {
        "prompt": task.prompt,
        "system text": task.system,
        "wording by family": task.by_family,
        "source": task.source,
        "cluster": task.cluster,
        "primary metric": task.primary,
        **({"data digest": data} if data else {}),
        **({"shots": task.shots, "overflow": task.overflow} if task.overflow else {}),
        **{f"decode's {key}": value for key, value in _decode(task).items()},
    }


def _decode(task: TaskFacts) -> Mapping[str, object]:
    """Return the decode settings; results from before `leading_whitespace` was a setting kept it."""
    return {"leading_whitespace": "keep", **task.decode} if task.decode.get("stop") else task.decode


def _of_samples(a: Result, b: Result, name: str) -> Iterator[str]:
    """Yield how many of the samples in common have another input or reference."""
    ours, theirs = (
        {
            sample.id: (sample.told, sample.references)
            for task, sample in read_samples(result.folder)
            if task == name
        }
        for result in (a, b)
    )
    common = ours.keys() & theirs.keys()
    if changed := sum(ours[sample] != theirs[sample] for sample in common):
        yield f"the data differ: {changed:,} of {len(common):,} samples in common have another input or reference"


def _run(result: Result) -> Facts:
    facts = {"device": result.manifest.device, "harness": result.manifest.harness}
    known = {name: fact for name, fact in facts.items() if fact}
    return known | {f"{name}'s version": version for name, version in result.manifest.libraries.items()}


def _base(result: Result, model: str) -> Facts:
    known = ("uri", "revision", "dtype", "quantization", "chat")
    base = result.model(model)
    return {} if base is None else {field: getattr(base, field) for field in known}


def _adapter(result: Result, system: System) -> Facts:
    adapter = result.adapter(system)
    if adapter is None:
        return {}
    recipe = next((recipe for recipe in result.suite.recipes if recipe.get("name") == adapter.recipe), {})
    own = {
        "uri": adapter.uri,
        "training task": adapter.trained_on,
        "seed": adapter.seed,
        "recipe": adapter.recipe,
    }
    return own | {f"recipe's {key}": value for key, value in recipe.items() if key not in ("name", "seeds")}


def _unlike(whose: str, a: Facts, b: Facts) -> Iterator[str]:
    """Yield a sentence for each fact that both results record and that differs."""
    for name in a:
        if name in b and a[name] != b[name]:
            ours, theirs = _apart(a[name], b[name])
            yield f"{whose}{name} differs: {ours} in A, {theirs} in B"


def _apart(one: object, other: object) -> tuple[str, str]:
    """Return both values as a line shows them; long texts are cut to where they begin to differ."""
    if not isinstance(one, str) or not isinstance(other, str):
        return _said(one), _said(other)
    alike = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))
    start = max(0, alike - BEFORE) if max(len(one), len(other)) > LONGEST else 0
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    before, after = "…" if start else "", "…" if len(text) > start + LONGEST else ""
    return repr(before + text[start : start + LONGEST] + after)


def _said(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
