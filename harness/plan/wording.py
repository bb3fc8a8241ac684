"""Say for `check` and `plan` how prompts and chat templates go together; no model is loaded."""

import math
from collections.abc import Iterator, Mapping

from harness import backends, families, kinds
from harness import text as words
from harness.checkpoints.asked_with import asked_with, difference
from harness.errors import ModelError
from harness.neural import objectives
from harness.neural.rungs import rungs, total_steps
from harness.plan.examined import adapter_place
from harness.run.steps.generate import Generate
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.sandbox.templates import chat_template
from harness.suite.stages import before, pairs, trainings
from harness.types import Model, Plan, System, Task

# Below so many optimiser steps a recipe is remarked on: the warm-up and the first steps are most of the training then.
FEW_STEPS = 20


def without_role(plan: Plan) -> Iterator[str]:
    """Yield a line for each model whose chat template has no role for the system text of a task that it is asked."""
    told: dict[Model, list[str]] = {}
    for task, model in _asked(plan):
        if task.for_family(_words(plan, task, model)).system:
            told.setdefault(model, []).append(task.name)
    for model, tasks in told.items():
        stored = backends.of(model).chat_template(model, plan.pins.models[model.name])
        if stored is None:
            continue
        try:
            has_role = chat_template(model.uri, stored.text, stored.tokens).has_system_role
        except ModelError:
            continue  # the check of the model itself says so
        if not has_role:
            yield (
                f"model {model.name}: its chat template has no system role: the system text of {', '.join(tasks)} stands "
                "before the first turn of the user"
            )


def asked_otherwise(plan: Plan) -> Iterator[str]:
    """Yield a line for each adapter that is here and asked otherwise than its record says that it was trained."""
    report = next(step for step in reversed(plan.steps) if isinstance(step.spec, Report))
    assert isinstance(report.spec, Report)
    steps = {step.id: step for step in plan.steps}
    told: dict[tuple[str, str], list[str]] = {}
    for part, need in zip(report.spec.parts, report.needs, strict=True):
        spec = steps[need].spec
        if (
            not isinstance(spec, Generate)
            or spec.start
            or spec.adapter is None
            or spec.adapter.existing is None
        ):
            continue
        name, backend = spec.adapter.existing.name, backends.of(spec.used.model)
        folder = adapter_place(next(one for one in plan.suite.adapters if one.name == name), plan.pins)
        if folder is None or backend.folder is None:
            continue
        used = spec.used
        now = asked_with(spec.task, backend.chat_template(used.model, used.pin), used.model.quantization)
        if found := difference(folder, now):
            told.setdefault((name, found), []).append(part.task)
    for (name, found), tasks in told.items():
        yield f"adapter {name}: {found} by {', '.join(tasks)}"


def voting(plan: Plan) -> Iterator[str]:
    """Yield a line for each task whose answers are voted for, with the tokens that its votes may take."""
    samples: dict[str, int] = {}
    systems: dict[str, set[System]] = {}
    for step in plan.steps:
        if isinstance(step.spec, ScoreAnswers) and not step.spec.system.is_trivial:
            samples[step.spec.task] = step.spec.samples
            systems.setdefault(step.spec.task, set()).add(step.spec.system)
    for task in plan.suite.tasks:
        draws = kinds.find(task.kind).draws(task)
        if draws == 1 or task.name not in samples:
            continue
        answers = draws * samples[task.name] * len(systems[task.name])
        yield (
            f"task {task.name}: {draws} answers to each prompt are sampled for a vote, {answers:,} in all: up to "
            f"{answers * task.decode.max_new_tokens:,} new tokens, {draws} times those of one answer"
        )


def few_steps(plan: Plan, training: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each recipe and task whose adapters are trained in very few optimiser steps.

    `training` has the number of training samples of tasks; a recipe with `epochs` is judged on these tasks alone.
    """
    for recipe in plan.suite.recipes:
        told: dict[int, list[str]] = {}
        for task in (task for other, task in pairs(plan.suite) if other == recipe):
            if recipe.steps is None and task not in training:
                continue
            samples = min(training.get(task, 0), recipe.max_samples or training.get(task, 0))
            steps = recipe.steps or math.ceil((recipe.epochs or 1.0) * samples / recipe.batch_size)
            if steps < FEW_STEPS:
                told.setdefault(steps, []).append(task)
        for steps, tasks in told.items():
            key = "steps" if recipe.steps else "epochs"
            yield (
                f"recipe {recipe.name}: {words.plural(steps, 'optimiser step')} on {words.listed(tasks)}: so few hardly "
                f"change an adapter; raise `{key}`"
            )


def stages(plan: Plan) -> Iterator[str]:
    """Yield a line for each recipe whose trainings start from other adapters, with the reference of its objective."""
    told: dict[str, list[str]] = {}
    for training in trainings(plan.suite):
        earlier = before(plan.suite, training)
        if earlier is not None:
            told.setdefault(training.recipe.name, []).append(f"{training.name} from {earlier.name}")
    recipes = {recipe.name: recipe for recipe in plan.suite.recipes}
    for name, starts in told.items():
        objective = str(recipes[name].objective["name"])
        known = objective != objectives.AUTO and objectives.find(objective).needs_reference
        reference = f"; that adapter is the reference of {objective}, in place of the base" if known else ""
        yield f"recipe {name}: training starts from the adapter of an earlier stage: {words.listed(starts)}{reference}"


def halving(plan: Plan) -> Iterator[str]:
    """Yield a line for each recipe with halving: how many combinations train how far, and the optimiser steps of all."""
    for recipe in plan.suite.recipes:
        if recipe.halving is None:
            continue
        steps = recipe.steps or recipe.validations  # of `epochs`, the shares alone are known here
        found = rungs(recipe, steps)
        ends = [f"step {rung.step:,}" if recipe.steps else words.percent(rung.step, steps) for rung in found]
        later = [f"{rung.compared:,} to {end}" for rung, end in zip(found[1:], ends[1:], strict=True)]
        first = f"{words.plural(found[0].compared, 'combination')} to {ends[0]}{'' if recipe.steps else ' of their steps'}"
        total, whole = total_steps(recipe, steps), found[0].compared * steps
        taken = f"{total:,} optimiser steps in all instead of {whole:,}"
        if not recipe.steps:
            taken = f"{words.percent(total, whole)} of the optimiser steps that all to the end would take"
        yield (
            f"recipe {recipe.name}: trains {words.listed([first, *later])}, and keeps the best by the validation samples: "
            f"{taken}, for each model, task and seed"
        )


def own_words(plan: Plan) -> Iterator[str]:
    """Yield a line for each model that is asked tasks in the words of its family, and not in their own."""
    told: dict[tuple[Model, str], list[str]] = {}
    for task, model in _asked(plan):
        if words := _words(plan, task, model):
            told.setdefault((model, words), []).append(task.name)
    for (model, words), tasks in told.items():
        yield f"model {model.name}: asked in the words of the family {words} (by_family): {', '.join(tasks)}"


def _words(plan: Plan, task: Task, model: Model) -> str | None:
    """Return in which family's words a model is asked a task; None: in the task's own."""
    return families.asked_as(task.by_family, plan.pins.models[model.name].family)


def _asked(plan: Plan) -> Iterator[tuple[Task, Model]]:
    """Yield each task with each model that is asked it, once."""
    names = {step.spec.used.model.name for step in plan.steps if isinstance(step.spec, Generate)}
    for model in plan.suite.models:
        if model.name in names:
            for task in plan.suite.tasks:
                yield task, model
