"""From a result to a page of plain data; HTML, Markdown and the terminal only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from harness.report import words
from harness.report.answer import Answer, Field, answer, is_trivial
from harness.report.picks import Pick, pick
from harness.report.weighed import WeightSection, section
from harness.result import Curve, ModelFacts, Result, StepFacts, SuiteFacts, TaskFacts
from harness.types import Comparison, Cost, Note, Score, System

Role = Literal["trivial", "base", "adapter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a system took; None where it was not measured."""

    tokens_per_second: float | None = None
    peak_megabytes: float | None = None  # while it answered this task
    training_seconds: float | None = None
    training_megabytes: float | None = None
    adapter_megabytes: float | None = None
    trainable_parameters: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One system's line in a task's score table."""

    system: System
    role: Role
    score: Score
    others: tuple[Score, ...]  # the task's other metrics, in the columns' order
    to_base: Comparison | None
    best: bool
    tied: bool  # tested against the best, and not significantly behind
    away: bool  # an adapter on a task it was not trained on
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One question: comparisons that are corrected together."""

    title: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Everything shown of one task."""

    facts: TaskFacts
    metric: str  # its name for people
    unit: str
    lower_is_better: bool
    signature: str
    samples: int
    top: float  # end of the axis of the interval bars
    answer: Answer | None
    trained_here: bool
    other_metrics: tuple[str, ...]
    lines: tuple[Line, ...]
    groups: tuple[Group, ...]
    picks: tuple[Pick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report, before anyone decides how it looks."""

    title: str
    suite: SuiteFacts
    models: Mapping[str, ModelFacts]
    tasks: tuple[TaskPage, ...]
    curves: tuple[Curve, ...]
    weights: WeightSection
    notes: tuple[Note, ...]
    failed: tuple[StepFacts, ...]
    steps: tuple[StepFacts, ...]
    manifest: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # heading -> name and value
    command: str
    created: str
    withheld: tuple[str, ...] = ()  # tasks whose texts this copy leaves out


def build(result: Result, *, samples: bool = True) -> Page:
    """The whole page; without samples it is made of result.json alone."""
    if samples:
        return with_samples(build(result, samples=False), result)
    tasks = sorted(result.suite.tasks, key=lambda task: not _trained_here(result, task))
    return Page(
        title=result.suite.name,
        suite=result.suite,
        models={one.name: one for one in result.suite.models},
        tasks=tuple(_task(result, task) for task in tasks if _scored(result, task)),
        curves=result.curves,
        weights=section(result.weights),
        notes=tuple(
            one for one in result.notes if not one.kind.startswith("step ")
        ),  # `failed` says more of them
        failed=tuple(one for one in result.steps if one.state in ("failed", "skipped")),
        steps=result.steps,
        manifest=_manifest(result),
        command=str(result.manifest.get("command") or ""),
        created=str(result.manifest.get("created") or ""),
        withheld=result.withheld,
    )


def with_samples(page: Page, result: Result) -> Page:
    """The page with the samples worth reading."""
    chosen = pick(result)
    return replace(page, tasks=tuple(replace(one, picks=chosen[one.facts.name]) for one in page.tasks))


def _trained_here(result: Result, task: TaskFacts) -> bool:
    return any(one.trained_on == task.name for one in result.suite.adapters)


def _scored(result: Result, task: TaskFacts) -> bool:
    return any(one.task == task.name and one.primary for one in result.scores)


def _task(result: Result, task: TaskFacts) -> TaskPage:
    field = Field(result, task)
    scores = field.scores
    first = next(iter(scores.values()))
    return TaskPage(
        facts=task,
        metric=words.metric(task.primary),
        unit=first.unit,
        lower_is_better=first.better == "lower",
        signature=first.signature,
        samples=first.n,
        top=_axis_end([one.high if one.high is not None else one.value for one in scores.values()]),
        answer=answer(result, task),
        trained_here=_trained_here(result, task),
        other_metrics=tuple(
            dict.fromkeys(one.metric for one in result.scores if one.task == task.name and not one.primary)
        ),
        lines=tuple(_lines(result, field)),
        groups=tuple(_groups(result, task)),
    )


def _axis_end(values: Sequence[float]) -> float:
    """The next round number above all values."""
    most = max((value for value in values if value == value), default=0.0)
    return next(
        (end for end in (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0) if most <= end), max(most, 1.0)
    )


def _lines(result: Result, field: Field) -> list[Line]:
    """Models in the suite's order, each base before its adapters, trivial rules last."""
    scores, facts = field.scores, field.facts
    models = [one.name for one in result.suite.models]
    answering = [one for one in scores if not is_trivial(one)]
    best = max(answering, key=lambda one: field.better(scores[one].value), default=None)
    others: dict[System, list[Score]] = {}
    for score in result.scores:
        if score.task == field.task.name and not score.primary:
            others.setdefault(score.system, []).append(score)

    def place(system: System) -> tuple[object, ...]:
        known = models.index(system.model) if system.model in models else len(models)
        return is_trivial(system), known, system.adapter is not None, system.shots

    return [
        Line(
            system=system,
            role="trivial" if is_trivial(system) else "adapter" if system.adapter else "base",
            score=scores[system],
            others=tuple(others.get(system, ())),
            to_base=field.between(system, field.base_of(system)) if system.adapter else None,
            best=system == best,
            tied=best not in (None, system) and not is_trivial(system) and _tied(field.between(best, system)),
            away=system in facts and facts[system].trained_on not in (None, field.task.name),
            costs=_costs(result.costs, system, field.task.name),
        )
        for system in sorted(scores, key=place)
    ]


def _tied(behind: Comparison | None) -> bool:
    return behind is not None and behind.p_holm is not None and not words.significant(behind)


def _costs(costs: Sequence[Cost], system: System, task: str) -> Costs:
    """What answering this task took, and, for an adapter, what training it took."""
    answering: dict[str, list[float]] = {}
    training: dict[str, float] = {}
    for one in costs:
        if one.system == system and one.task == task:
            answering.setdefault(one.quantity, []).append(one.value)
        elif one.system == system and one.task is None:
            training[one.quantity] = one.value
    return Costs(
        tokens_per_second=fmean(answering["generation speed"]) if "generation speed" in answering else None,
        peak_megabytes=max(answering.get("peak memory", ()), default=None),
        training_seconds=training.get("training time"),
        training_megabytes=training.get("peak memory"),
        adapter_megabytes=training.get("adapter size"),
        trainable_parameters=training.get("trainable parameters"),
    )


def _groups(result: Result, task: TaskFacts) -> list[Group]:
    """The primary metric's comparisons, a group for each family, in the order they were asked."""
    found: dict[str, list[Comparison]] = {}
    for one in result.comparisons:
        if one.task == task.name and one.metric == task.primary:
            title = (one.family or "exploratory").removeprefix(f"{task.name}: ")
            found.setdefault(title, []).append(one)
    return [
        Group(title=title[:1].upper() + title[1:], comparisons=tuple(these)) for title, these in found.items()
    ]


def _manifest(result: Result) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Headings with names and values, empty ones left out."""
    said = result.manifest
    run = [
        ("harness", said.get("harness")),
        ("created", said.get("created")),
        ("seed", said.get("seed")),
        ("sample limit", result.suite.limit),
        ("device", said.get("device")),
        ("python", said.get("python")),
        ("platform", said.get("platform")),
    ]
    groups: list[tuple[str, list[tuple[str, object]]]] = [
        ("Run", run),
        ("Hardware", _items(said.get("hardware"))),
        ("Runtime", _items(said.get("runtime"))),
        ("Models", [(one.name, _model(one)) for one in result.suite.models]),
        ("Data", [(f"{one.name}", _source(one, said.get("sources"))) for one in result.suite.tasks]),
        ("Metrics", [*_signatures(result.scores)]),
        ("Recipes", [(str(one.get("name")), _recipe(one)) for one in result.suite.recipes]),
        ("Libraries", _items(said.get("libraries"))),
    ]
    return tuple(
        (heading, tuple((name, str(value)) for name, value in items if value not in (None, "")))
        for heading, items in groups
        if any(value not in (None, "") for _, value in items)
    )


def _items(value: object) -> list[tuple[str, object]]:
    return (
        [(str(key).replace("_", " "), one) for key, one in value.items()]
        if isinstance(value, Mapping)
        else []
    )


def _model(one: ModelFacts) -> str:
    size = f"{words.count(one.parameters)} parameters" if one.parameters else ""
    said = [
        one.uri,
        one.family or "",
        size,
        one.dtype or "",
        f"revision {one.revision}" if one.revision else "",
    ]
    return ", ".join(part for part in said if part)


def _source(one: TaskFacts, digests: object) -> str:
    digest = digests.get(one.name) if isinstance(digests, Mapping) else None
    said = [one.source, one.licence or "", f"digest {digest}" if digest else "", f"shares {one.share}"]
    return ", ".join(part for part in said if part)


def _signatures(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """Scores that one computation gives, and its signature."""
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
