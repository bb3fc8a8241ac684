"""What an adapter learns from: the examples as token ids, and a training that is ready to take its steps."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import StepError
from harness.neural import lora, objectives
from harness.neural.encode import ahead
from harness.neural.load import Base
from harness.neural.objectives import Example, Item, Objective, TrainedHead
from harness.neural.train.loop import Judge, Training
from harness.neural.train.prepare import prepared
from harness.types import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """The encoded examples of a task for one base and one objective."""

    base: Base
    objective: Objective
    settings: Any  # the objective's; for an objective with a head, the head
    head: TrainedHead | None
    items: Sequence[Item]  # of the examples that fit
    checks: Sequence[Item]  # of the validation examples that fit
    skipped: tuple[str, ...]  # ids of examples that are too long even when shortened

    def steps(self, recipe: Recipe) -> int:
        """Return how many optimiser steps a recipe takes."""
        return recipe.steps or math.ceil((recipe.epochs or 1.0) * len(self.items) / recipe.batch_size)


def lessons(
    base: Base, examples: Sequence[Example], validation: Sequence[Example], recipe: Recipe
) -> Lessons:
    """Return the examples as a recipe's objective learns from them; raise StepError if none fits."""
    if reason := objectives.unfit(recipe, base.architecture):
        raise StepError(
            f"recipe {recipe.name}: {base.name}: {reason}; leave `objective` out, or name one that suits"
        )
    objective, settings = objectives.of(recipe, base.architecture)
    items = list(_encoded(base, objective, examples, recipe))
    chosen = [item for item in items if item is not None]
    checks = [item for item in _encoded(base, objective, validation, recipe) if item is not None]
    if not chosen:
        raise StepError(
            f"none of {len(examples)} training examples fits max_tokens: {recipe.max_tokens}; raise it"
        )
    fitting = [example for example, item in zip(examples, items, strict=True) if item is not None]
    head = objective.head(fitting) if objective.head else None
    return Lessons(
        base=base,
        objective=objective,
        settings=settings if head is None else head,
        head=head,
        items=chosen,
        checks=checks,
        skipped=tuple(example.id for example, item in zip(examples, items, strict=True) if item is None),
    )


@contextmanager
def training(
    learnt: Lessons,
    recipe: Recipe,
    seed: int,
    folder: Path,
    judge: Judge | None,
    start: Path
    | None = None,  # the folder of the adapter that training begins with; None: it begins at the base
) -> Iterator[Training]:
    """Yield a training at its first step, which can resume from a checkpoint; the base is the same afterwards."""
    if start is not None and learnt.objective.needs_reference and learnt.objective.refer is None:
        raise StepError(
            f"recipe {recipe.name}: objective {learnt.objective.name!r} asks the base at every step, and not the adapter "
            "that training starts from; leave `start` out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    base, steps = learnt.base, learnt.steps(recipe)
    with prepared(base, replace(recipe, steps=steps, epochs=None), seed, learnt.head) as attached:
        if start is not None:
            lora.begin(attached, base, start, learnt.head)
        yield Training(
            base, attached, recipe, learnt.objective, learnt.settings, seed, folder, steps, judge,
            begun=start is not None,
        )  # fmt: skip


def _encoded(
    base: Base, objective: Objective, examples: Sequence[Example], recipe: Recipe
) -> Iterator[Item | None]:
    prompts = ahead(base, (example.prompt for example in examples))
    for example, _ in zip(examples, prompts, strict=True):
        yield objective.encode(base, example, recipe)
