"""Runs as experiment trackers know them: one system on one task, with its settings, scores and costs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from harness.digest import digest
from harness.report import page as pages
from harness.report.page import Page, ScoreLine, TaskPage
from harness.results import Curve, Result
from harness.results.plain import plain
from harness.types import Score, System

Series = Sequence[tuple[int, float]]  # step and value


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """One system on one task.

    Names use letters, digits, `_-. ` and at most one slash; no name is another's prefix before a slash.
    """

    task: str
    system: System
    settings: Mapping[str, object]
    numbers: Mapping[str, float]
    curves: Mapping[str, Series] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRun:
    """One system on all of its tasks."""

    system: System
    settings: Mapping[str, object]
    numbers: Mapping[str, float]  # "TASK/NAME" -> number
    curves: Mapping[str, Series]

    @property
    def points(self) -> dict[int, dict[str, float]]:
        """Return the curves by step, in the order of steps."""
        found: dict[int, dict[str, float]] = {}
        for name, series in self.curves.items():
            for step, value in series:
                found.setdefault(step, {})[name] = value
        return dict(sorted(found.items()))


def by_system(result: Result) -> list[SystemRun]:
    """Return a run for every system, with its settings and what is said of each task."""
    of: dict[System, list[TrackedRun]] = {}
    for tracked in runs(result, build(result)):
        of.setdefault(tracked.system, []).append(tracked)
    return [
        SystemRun(
            system=system,
            settings={
                **{key: value for each in found for key, value in each.settings.items() if key != "task"},
                **{f"{named(each.task)}.{key}": value for each in found for key, value in each.tags.items()},
            },
            numbers={
                f"{named(each.task)}/{name}": value for each in found for name, value in each.numbers.items()
            },
            curves={name: series for each in found for name, series in each.curves.items()},
        )
        for system, found in of.items()
    ]


def runs(result: Result, page: Page) -> list[TrackedRun]:
    """Return a run for every system on every task.

    An adapter's loss curve goes with the task that it was trained on, or with its first task if it did not answer that one.
    """
    curves = {System(model=curve.model, adapter=curve.adapter): curve for curve in result.curves}
    trained_on = {
        System(model=adapter.model, adapter=adapter.name): adapter.trained_on
        for adapter in result.suite.adapters
    }
    on: dict[System, list[str]] = {}
    for task in page.tasks:
        for line in task.lines:
            on.setdefault(line.system, []).append(task.facts.name)
    found = []
    for task in page.tasks:
        for line in task.lines:
            home = trained_on.get(line.system)
            home = home if home in on[line.system] else on[line.system][0]
            curve = curves.get(line.system) if home == task.facts.name else None
            found.append(
                TrackedRun(
                    task=task.facts.name,
                    system=line.system,
                    settings=_settings(result, task, line.system),
                    numbers=_numbers(task, line),
                    curves=_series(curve) if curve else {},
                    tags=_tags(result, task, line),
                )
            )
    return found


def build(result: Result) -> Page:
    """Return the page that the runs are read from."""
    return pages.build(result)


def identity(result: Result) -> str:
    """Return 16 hex digits, equal for RESULTs of equal content."""
    return digest(
        result.suite, result.scores, result.comparisons, result.costs, result.curves, plain(result.manifest)
    )


def created(result: Result) -> float:
    """Return when the RESULT was made, in seconds since 1970; 0 if unknown."""
    try:
        return datetime.fromisoformat(result.manifest.created).timestamp()
    except ValueError:
        return 0.0


def named(text: str) -> str:
    """Return the text as a name that every tracker accepts."""
    return re.sub(r"[^\w\-. ]+", "_", text).strip(" .")[:200] or "_"


def _settings(result: Result, task: TaskPage, system: System) -> dict[str, object]:
    """Return a run's settings: the model as it was loaded, and the recipe with all its fields."""
    model, adapter = result.model(system.model), result.adapter(system)
    recipe = result.recipe(adapter) if adapter else {}
    said: dict[str, object] = {
        "suite": result.suite.name,
        "task": task.facts.name,
        "model": system.model,
        "adapter": system.adapter,
        "shots": system.shots,
        **({f"model.{key}": value for key, value in _facts(model).items()} if model else {}),
        **({f"adapter.{key}": value for key, value in _facts(adapter).items()} if adapter else {}),
        **{f"recipe.{key}": value for key, value in recipe.items() if key != "name"},
    }
    return {key: _in_words(value) for key, value in said.items() if value is not None}


def _in_words(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _facts(record: Any) -> dict[str, object]:
    return {key: value for key, value in asdict(record).items() if key not in ("name", "model")}


def _numbers(task: TaskPage, line: ScoreLine) -> dict[str, float]:
    found: dict[str, float | None] = {"samples": float(line.score.n)}
    for score in (line.score, *line.others):
        found |= _with_ends(named(score.metric), score.value, score.low, score.high)
    if line.to_base:
        comparison = line.to_base
        name = f"{named(comparison.metric)}.difference"
        found |= _with_ends(name, comparison.difference, comparison.low, comparison.high)
        found[f"{name}.p_holm"] = comparison.p_holm
    found |= {f"costs/{key}": value for key, value in asdict(line.costs).items()}
    return {key: float(value) for key, value in found.items() if value is not None}


def _with_ends(name: str, value: float, low: float | None, high: float | None) -> dict[str, float | None]:
    return {name: value, f"{name}.low": low, f"{name}.high": high}


def _series(curve: Curve) -> dict[str, Series]:
    columns = {
        "training/loss": [(point.step, point.loss) for point in curve.points],
        "training/validation loss": [(point.step, point.validation_loss) for point in curve.points],
        "training/learning rate": [(point.step, point.learning_rate) for point in curve.points],
    }
    found = {name: [(step, y) for step, y in points if y is not None] for name, points in columns.items()}
    return {name: points for name, points in found.items() if points}


def _tags(result: Result, task: TaskPage, line: ScoreLine) -> dict[str, object]:
    signatures: dict[str, list[Score]] = {}
    for score in (line.score, *line.others):
        signatures.setdefault(score.signature, []).append(score)
    said: dict[str, object] = {
        "primary metric": task.facts.primary,
        **{f"signature.{named(these[0].metric)}": text for text, these in signatures.items()},
        "data": task.facts.source,
        "data digest": result.manifest.sources.get(task.facts.name),
        "harness": result.manifest.harness,
        "command": result.manifest.command,
        "hardware": next((cost.hardware for cost in result.costs if cost.system == line.system), None),
    }
    return {key: value for key, value in said.items() if value}
