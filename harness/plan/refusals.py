"""Refuse what no plan can be made of, with the reason."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from harness import kinds
from harness.backends import trainable
from harness.errors import SuiteError, UnknownName
from harness.plan.only import Only
from harness.suite.stages import trainings
from harness.types import (
    Pins,
    Suite,
    Task,
)


def refuse_untrainable(suite: Suite, part: Only) -> None:
    """Raise SuiteError where adapters are to be trained, and no model of the suite can be."""
    asked = [training for training in trainings(suite) if fnmatchcase(training.name, part.adapter)]
    if asked and suite.models and not any(map(trainable, suite.models)):
        model = suite.models[0]
        raise SuiteError(
            f"recipe {suite.recipes[0].name}: model {model.name}: {model.uri} cannot be trained; "
            "use a zoo, hub or file model, or leave out `recipes` and `train_on`"
        )


def refuse_unable(suite: Suite, pins: Pins, asked: Iterable[Task]) -> None:
    """Raise SuiteError where no model of the suite can do what a task's kind asks of it."""
    for task in asked:
        kind = kinds.find(task.kind)
        reasons = [kind.lacks(task, model, pins.models[model.name]) for model in suite.models]
        if reasons and all(reasons):
            raise SuiteError(
                f"task {task.name}, kind {task.kind}: {reasons[0]}; leave out the task, or add a model that can"
            )


def refuse_unknown_adapter(suite: Suite, part: Only) -> None:
    """Raise UnknownName where neither an adapter of the models nor "base" matches the pattern."""
    models = {model.name for model in suite.models}
    trained = (training.name for training in trainings(suite) if any(map(trainable, suite.models)))
    known = {*trained, *(adapter.name for adapter in suite.adapters if adapter.base in models), "base"}
    refuse_unknown("adapter", part.adapter, known, part)


def refuse_unknown(what: str, pattern: str, names: Iterable[str], part: Only) -> None:
    """Raise UnknownName where no name matches the pattern."""
    known = tuple(names)
    if not any(fnmatchcase(name, pattern) for name in known):
        raise UnknownName(what, pattern, known, f"--only {part.task}/{part.model}/{part.adapter}")
