"""The learning rate and the validation steps of a run: functions of the step alone."""

import math

from harness.types import Recipe


def schedule(step: int, steps: int, recipe: Recipe) -> float:
    """Return the share of the learning rate at a step (1 ... steps): linear warmup, then the recipe's schedule."""
    warmup = round(recipe.warmup * steps)
    if step <= warmup:
        return step / warmup
    left = (steps + 1 - step) / (steps + 1 - warmup)
    if recipe.schedule == "cosine":
        return 0.5 * (1.0 - math.cos(math.pi * left))
    return left if recipe.schedule == "linear" else 1.0


def validation_steps(steps: int, recipe: Recipe) -> set[int]:
    """Return the steps after which the validation loss is measured, evenly spread; the last step is one of them."""
    count = max(1, min(recipe.validations, steps))
    return {round(steps * nth / count) for nth in range(1, count + 1)}
