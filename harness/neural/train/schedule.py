"""The learning rate of a run: a function of the step alone."""

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
