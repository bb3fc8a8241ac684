"""Training in stages: which adapters a suite trains, and which of them begins with the factors of another.

A recipe with `start` goes on with the adapter that another recipe has trained on the same model. One adapter comes out, on
the untouched base.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.checkpoints.adapter import LORA, MOVES_THE_BASE
from harness.errors import SuiteError, UnknownName
from harness.neural import objectives
from harness.types import Recipe, Start, Suite, Task

At = Callable[..., str]  # keys below the suite -> "FILE:LINE: dotted.key"

FIRST_VALUES = ("init", "init_lora_weights")  # keys of `peft` that say how new factors begin
SHAPE = ("rank", "alpha", "rslora", "targets", "peft")  # keys that both recipes must have alike


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTraining:
    """A training of a suite, which is done on every model: by a recipe, on a task, with a seed."""

    name: str  # of its adapter
    recipe: Recipe
    task: Task
    seed: int


def trainings(suite: Suite) -> Iterator[PlannedTraining]:
    """Yield each training of a suite: by every recipe on every task of `train_on`, then those that others start from."""
    tasks = {task.name: task for task in suite.tasks}
    several = len([name for name in tasks if name in suite.train_on]) > 1
    for recipe, name in pairs(suite):
        shown = name if several or name not in suite.train_on else None
        for seed in recipe.seeds:
            yield PlannedTraining(
                name=adapter_name(recipe, shown, seed), recipe=recipe, task=tasks[name], seed=seed
            )


def before(suite: Suite, training: PlannedTraining) -> PlannedTraining | None:
    """Return the training whose adapter another one starts from; None where training begins at the base.

    It has the same seed where its recipe has that seed, and else its recipe's only seed.
    """
    start = training.recipe.start
    if start is None:
        return None
    task = start.task or training.task.name
    found = {
        other.seed: other
        for other in trainings(suite)
        if (other.recipe.name, other.task.name) == (start.recipe, task)
    }
    return found[training.seed] if training.seed in found else next(iter(found.values()))


def trained_tasks(suite: Suite) -> frozenset[str]:
    """Return the names of the tasks that adapters are trained on: those of `train_on`, and those that a `start` names."""
    return frozenset(task for _, task in pairs(suite)) | frozenset(suite.train_on)


def pairs(suite: Suite) -> tuple[tuple[Recipe, str], ...]:
    """Return each recipe with the name of each task that it is trained on."""
    recipes = {recipe.name: recipe for recipe in suite.recipes}
    names = [task.name for task in suite.tasks if task.name in suite.train_on]
    found = dict.fromkeys((recipe.name, task) for recipe in suite.recipes for task in names)
    todo = list(found)
    while todo:
        recipe, task = todo.pop(0)
        if (start := recipes[recipe].start) is not None:
            earlier = (start.recipe, start.task or task)
            if earlier not in found:
                found[earlier] = None
                todo.append(earlier)
    return tuple((recipes[recipe], task) for recipe, task in found)


def adapter_name(recipe: Recipe, task: str | None, seed: int) -> str:
    """Return an adapter's name: the recipe's, with the task and the seed where there are several."""
    return recipe.name + (f"@{task}" if task else "") + (f"#{seed}" if len(recipe.seeds) > 1 else "")


def check_stages(suite: Suite, at: At) -> None:
    """Raise SuiteError for a recipe that starts from a recipe whose adapter it cannot go on with."""
    recipes = {recipe.name: recipe for recipe in suite.recipes}
    for n, recipe in enumerate(suite.recipes):
        if recipe.start is not None:
            _check_names(suite, recipe.start, lambda *keys, n=n: at("recipes", n, "start", *keys))
    for n, recipe in enumerate(suite.recipes):
        if recipe.start is not None:
            _check_circle(recipes, recipe, at("recipes", n, "start"))
            earlier = recipes[recipe.start.recipe]
            _check_halving(earlier, recipe, at("recipes", n, "start"))
            _check_alike(earlier, recipe, lambda *keys, n=n: at("recipes", n, *keys))
            _check_seeds(earlier, recipe, at("recipes", n, "start"))
            _check_reference(recipe, at("recipes", n, "start"))


def _check_names(suite: Suite, start: Start, at: At) -> None:
    names = [recipe.name for recipe in suite.recipes]
    if start.recipe not in names:
        if start.recipe in (adapter.name for adapter in suite.adapters):
            raise SuiteError(
                f"{at()}: {start.recipe} is an adapter that exists already; training starts from an adapter that this suite "
                f"trains: name one of its recipes: {', '.join(names)}"
            )
        unknown = UnknownName("recipe in this suite", start.recipe, names, at())
        raise SuiteError(f"{unknown}; a recipe of a file is listed too: `recipes: [{start.recipe}, …]`")
    if start.task is not None and start.task not in (task.name for task in suite.tasks):
        raise UnknownName("task in this suite", start.task, [task.name for task in suite.tasks], at("task"))


def _check_halving(earlier: Recipe, recipe: Recipe, where: str) -> None:
    for one in (earlier, recipe):
        if one.halving is not None:
            raise SuiteError(
                f"{where}: {one.name} is a sweep with halving, whose adapter has settings that are not known before; write "
                "its winner as a recipe of its own, and leave `halving` out"
            )


def _check_circle(recipes: Mapping[str, Recipe], recipe: Recipe, where: str) -> None:
    names, at = [recipe.name], recipe
    while at.start is not None:
        names.append(at.start.recipe)
        if at.start.recipe == recipe.name:
            raise SuiteError(f"{where}: a circle: {' starts from '.join(names)}; leave one `start` out")
        if at.start.recipe in names[:-1]:
            return  # a circle of other recipes, which are refused themselves
        at = recipes[at.start.recipe]


def _check_alike(earlier: Recipe, recipe: Recipe, at: At) -> None:
    """Raise SuiteError where the factors of the earlier recipe cannot be those of the later one."""
    for key in FIRST_VALUES:
        if key in recipe.peft:
            raise SuiteError(
                f"{at('peft', key)}: training starts with the factors of {earlier.name}, so none are drawn; leave it out"
            )
        if str(earlier.peft.get(key)).lower().startswith(MOVES_THE_BASE):
            raise SuiteError(
                f"{at('start')}: {earlier.name} takes its first factors out of the base ({key}: {earlier.peft[key]}), and "
                "its file has another rank than it trained; name a recipe without it"
            )
    for key in SHAPE:
        one, other = _shape(earlier, key), _shape(recipe, key)
        if one != other:
            raise SuiteError(
                f"{at(key)}: found {_said(other)}, and {earlier.name}, whose factors training starts with, has "
                f"{_said(one)}; write the same in both"
            )


def _shape(recipe: Recipe, key: str) -> Any:
    """Return what a recipe says of the shape of its adapter."""
    if key == "targets":
        return sorted(set(recipe.targets))
    if key != "peft":
        return getattr(recipe, key)
    own = {name: value for name, value in recipe.peft.items() if name not in (*FIRST_VALUES, "type")}
    return {"type": str(recipe.peft.get("type", LORA)).upper(), **own}


def _said(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name}: {inner}" for name, inner in value.items())
        case list():
            return ", ".join(map(str, value))
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
    return str(value)


def _check_seeds(earlier: Recipe, recipe: Recipe, where: str) -> None:
    lacking = [seed for seed in recipe.seeds if seed not in earlier.seeds]
    if lacking and len(earlier.seeds) > 1:
        raise SuiteError(
            f"{where}: {recipe.name} has the seed {lacking[0]}, and {earlier.name} has the seeds "
            f"{', '.join(map(str, earlier.seeds))}; give {earlier.name} the same seeds, or a single one"
        )


def _check_reference(recipe: Recipe, where: str) -> None:
    """Raise SuiteError for an objective that asks its reference at every step: it could only ask the base."""
    name = str(recipe.objective["name"])
    if name == objectives.AUTO:
        return
    objective = objectives.find(name)
    if objective.needs_reference and objective.refer is None:
        raise SuiteError(
            f"{where}: objective {name!r} asks the base at every step (it has no `refer`), and not the adapter that "
            "training starts from; leave `start` out, or choose another objective"
        )
