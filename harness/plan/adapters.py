"""List the adapters of a plan: those that it trains, and those that exist already."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from harness import kinds, metrics
from harness.backends import trainable
from harness.errors import SuiteError
from harness.neural import architectures, objectives
from harness.plan.builder import PlanBuilder, asked_task, model_plugins, used_model
from harness.plugins.choice import parse
from harness.run.steps import UsedAdapter
from harness.run.steps import score as score_step
from harness.run.steps import train as train_step
from harness.types import (
    Decode,
    Model,
    ModelPin,
    Recipe,
    Step,
    Suite,
    Task,
)
from harness.types.suite import BY_LOSS, BY_PRIMARY

MOST_TASKS_ACROSS = 4  # up to so many tasks, every adapter is run on all of them
SUITS = ("answers", "labels")  # objectives that a recipe need not name


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An adapter of the plan: trained by the plan (by a recipe, on a task, with a seed), or one that exists already."""

    name: str
    model: Model
    used: UsedAdapter
    trained_on: str | None = None
    recipe: Recipe | None = None
    seed: int | None = None
    step: Step | None = None  # the step that trains it


def trained(builder: PlanBuilder, loads: dict[str, Step]) -> list[Candidate]:
    """Add a training step for each model, recipe, task and seed that is asked for; return their adapters."""
    found = []
    for model in filter(trainable, builder.suite.models):
        for name, recipe, task, seed in to_train(builder.suite):
            if not fnmatchcase(name, builder.only.adapter):
                continue
            if kinds.find(task.kind).lacks(task, model, builder.pins.models[model.name]):
                continue  # `unasked` says why
            if not any(runs_on(builder.suite, asked, task.name) for asked in builder.asked):
                continue  # nothing that is asked for needs it
            family = builder.pins.models[model.name].family
            objective = _objective(builder, recipe, model)
            spec = train_step.Train(
                used=used_model(builder, model),
                task=_learnt(task, family),
                recipe=replace(recipe, name="", about="", seeds=(), objective=_hashed(recipe, objective)),
                seed=seed + builder.seed,
                device=builder.pins.device,
                stop=training_stop(task, builder.pins.models[model.name]),
            )
            label = f"train {model.name} + {name}"
            used = [("kinds", task.kind), ("objectives", objective), *model_plugins(builder, model)]
            libraries: tuple[str, ...] = ()
            if chosen_by := _chosen_by(recipe, task, family):
                spec = replace(
                    spec, chosen_by=chosen_by, recipe=replace(spec.recipe, choose_by=chosen_by.score)
                )
                used.append(("metrics", parse(chosen_by.metric).own))
                libraries = score_step.LIBRARIES
            needs = (loads[task.name],)
            step = builder.add(
                train_step, spec, needs, label, model.name, plugins=used, libraries_too=libraries
            )
            found.append(
                Candidate(
                    name=name,
                    model=model,
                    used=UsedAdapter(),
                    trained_on=task.name,
                    recipe=recipe,
                    seed=seed + builder.seed,
                    step=step,
                )
            )
    return found


def existing(builder: PlanBuilder) -> list[Candidate]:
    """Return the adapters that the suite names and the part asks for."""
    models = {model.name: model for model in builder.suite.models}
    return [
        Candidate(
            name=adapter.name,
            model=models[adapter.base],
            used=UsedAdapter(
                existing=replace(adapter, revision=None), revision=builder.pins.adapters[adapter.name]
            ),
        )
        for adapter in builder.suite.adapters
        if adapter.base in models and fnmatchcase(adapter.name, builder.only.adapter)
    ]


def to_train(suite: Suite) -> Iterator[tuple[str, Recipe, Task, int]]:
    """Yield each adapter that is trained on every model: its name, recipe, task and seed."""
    tasks = [task for task in suite.tasks if task.name in suite.train_on]
    for recipe in suite.recipes:
        for task in tasks:
            for seed in recipe.seeds:
                yield adapter_name(recipe, task.name if len(tasks) > 1 else None, seed), recipe, task, seed


def adapter_name(recipe: Recipe, task: str | None, seed: int) -> str:
    """Return an adapter's name: the recipe's, with the task and the seed where there are several."""
    return recipe.name + (f"@{task}" if task else "") + (f"#{seed}" if len(recipe.seeds) > 1 else "")


def runs_on(suite: Suite, task: Task, trained_on: str | None) -> bool:
    """Return whether adapters that were trained on a task are measured on another; None: it is not known on which."""
    across = suite.across or ("all" if len(suite.tasks) <= MOST_TASKS_ACROSS else "own")
    if across == "all" or trained_on in (None, task.name) or task.name == suite.forgetting:
        return True
    return across != "own" and task.name in across


def _learnt(task: Task, family: str | None) -> Task:
    """Return a task as adapters of a family are trained on it, without the settings that only move answers."""
    answering = kinds.find(task.kind).of_answers
    settings = {name: value for name, value in task.settings.items() if name not in answering}
    return replace(asked_task(task, 0, family), decode=Decode(), metrics=(), settings=settings)


def _chosen_by(recipe: Recipe, task: Task, family: str | None) -> train_step.ChosenBy | None:
    """Return the score that chooses the checkpoint; None where the loss does."""
    if recipe.choose_by == BY_LOSS:
        return None
    score = task.primary if recipe.choose_by == BY_PRIMARY else recipe.choose_by
    metric = next(metric for metric in task.metrics if score in metrics.score_names(metric))
    return train_step.ChosenBy(task=asked_task(task, 0, family), metric=metric, score=score)


def _objective(builder: PlanBuilder, recipe: Recipe, model: Model) -> str:
    """Return the name of a recipe's objective for a model; raise SuiteError if it cannot train such a model."""
    architecture = architectures.find(builder.pins.models[model.name].architecture)
    if reason := objectives.unfit(recipe, architecture):
        raise SuiteError(
            f"recipe {recipe.name}, model {model.name}: {reason}; leave `objective` out, and each model gets the one that "
            "suits it"
        )
    return objectives.name_of(recipe, architecture)


def _hashed(recipe: Recipe, objective: str) -> Mapping[str, Any]:
    """Return a recipe's objective as it enters a step's id: named or left out, the one that suits the model is the same."""
    suits = objective in SUITS and _as_usual(recipe, objectives.find(objective))
    return {"name": objectives.AUTO} if suits else recipe.objective


def _as_usual(recipe: Recipe, objective: objectives.Objective) -> bool:
    """Return whether every setting of a recipe's objective has its default."""
    usual: bool = objectives.settings_of(recipe, objective) == objective.settings()
    return usual


def training_stop(task: Task, pin: ModelPin) -> str:
    """Return the stop string that ends a training example; empty for a model with an end-of-sequence token."""
    return task.decode.stop[0] if pin.endless and task.decode.stop else ""
