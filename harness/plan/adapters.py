"""List the adapters of a plan: those that it trains, and those that exist already."""

from collections.abc import Mapping
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
from harness.suite.stages import PlannedTraining, before, trainings
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
    start: str | None = None  # the adapter whose factors its training began with; None: it began at the base


def trained(builder: PlanBuilder, loads: dict[str, Step]) -> list[Candidate]:
    """Add a training step for each model, recipe, task and seed that is asked for; return their adapters.

    An adapter that another one starts from is trained too, whether it is asked for or not.
    """
    found = []
    for model in filter(trainable, builder.suite.models):
        for training in trainings(builder.suite):
            if not fnmatchcase(training.name, builder.only.adapter):
                continue
            if kinds.find(training.task.kind).lacks(training.task, model, builder.pins.models[model.name]):
                continue  # `unasked` says why
            if not any(runs_on(builder.suite, asked, training.task.name) for asked in builder.asked):
                continue  # nothing that is asked for needs it
            earlier = before(builder.suite, training)
            found.append(
                Candidate(
                    name=training.name,
                    model=model,
                    used=UsedAdapter(),
                    trained_on=training.task.name,
                    recipe=training.recipe,
                    seed=training.seed + builder.seed,
                    step=_step(builder, loads, model, training),
                    start=earlier.name if earlier else None,
                )
            )
    return found


def _step(builder: PlanBuilder, loads: dict[str, Step], model: Model, training: PlannedTraining) -> Step:
    """Add the step of a training, after that of the training which it starts from, and return it."""
    recipe, task, pin = training.recipe, training.task, builder.pins.models[model.name]
    earlier = before(builder.suite, training)
    objective = _objective(builder, recipe, model)
    if earlier is not None:
        _refuse_start(training, earlier, model, pin, objective)
    spec = train_step.Train(
        used=used_model(builder, model),
        task=_learnt(task, pin.family),
        recipe=replace(recipe, name="", about="", seeds=(), objective=_hashed(recipe, objective), start=None),
        seed=training.seed + builder.seed,
        device=builder.pins.device,
        stop=training_stop(task, pin),
        continues=earlier is not None,
    )
    used = [("kinds", task.kind), ("objectives", objective), *model_plugins(builder, model)]
    libraries: tuple[str, ...] = ()
    if chosen_by := _chosen_by(recipe, task, pin.family):
        spec = replace(spec, chosen_by=chosen_by, recipe=replace(spec.recipe, choose_by=chosen_by.score))
        used.append(("metrics", parse(chosen_by.metric).own))
        libraries = score_step.LIBRARIES
    needs = [loads[task.name], *([_step(builder, loads, model, earlier)] if earlier else [])]
    label = f"train {model.name} + {training.name}"
    return builder.add(train_step, spec, needs, label, model.name, plugins=used, libraries_too=libraries)


def _refuse_start(
    training: PlannedTraining, earlier: PlannedTraining, model: Model, pin: ModelPin, objective: str
) -> None:
    """Raise SuiteError where a model cannot be trained on the earlier task, or its head has other labels there."""
    where = f"recipe {training.recipe.name}: start: {earlier.recipe.name} on {earlier.task.name}, model {model.name}"
    if reason := kinds.find(earlier.task.kind).lacks(earlier.task, model, pin):
        raise SuiteError(f"{where}: {reason}; name a task of this suite that it can: `task: …`")
    labels = [one.task.source.labels for one in (earlier, training)]
    if objectives.find(objective).needs == "head" and labels[0] != labels[1]:
        first, second = (", ".join(some) or "a number" for some in labels)
        raise SuiteError(
            f"{where}: its head was trained for {first}, and {training.task.name} asks for {second}; start from a task with "
            "the same labels in the same order"
        )


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
