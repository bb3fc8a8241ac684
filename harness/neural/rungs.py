"""When a training measures its validation loss, and at which of these measurements a sweep drops combinations.

Successive halving (Jamieson and Talwalkar 2016; the brackets of Li et al. 2018): all combinations of a sweep take equally
many steps, the best part of them by the validation samples goes on, and so on until one is left. With eta = 1 / keep and
R rungs, rung i of 1 ... R is at the share eta^(i - R) of the steps: an early rung is cheap and compares many combinations.
All of this follows from the recipe and the number of steps, without torch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product

from harness.types import Halving, Recipe

LETTERS = {  # field -> its short form in a name; only numbers can be swept, so that every value can be part of a name
    "rank": "r",
    "alpha": "a",
    "dropout": "d",
    "epochs": "e",
    "steps": "s",
    "batch_size": "b",
    "learning_rate": "lr",
    "warmup": "w",
    "weight_decay": "wd",
    "max_grad_norm": "g",
    "max_tokens": "t",
    "max_samples": "n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A measurement at which the combinations that are left are compared."""

    step: int  # of the optimiser
    compared: int  # combinations, if none diverged
    kept: int  # of these go on


def name_part(field: str, value: object) -> str:
    """Return a swept value as it stands in a name: lr0.001."""
    return LETTERS[field] + str(value).removesuffix(".0")


def validation_steps(steps: int, recipe: Recipe) -> set[int]:
    """Return the steps after which the validation loss is measured, evenly spread; the last step is one of them."""
    count = max(1, min(recipe.validations, steps))
    return {round(steps * nth / count) for nth in range(1, count + 1)}


def combinations(recipe: Recipe) -> Mapping[str, Recipe]:
    """Return the recipes of a sweep by their names, r4-lr0.001, whatever the order in which the sweep lists its values."""
    lists = {field: recipe.sweep[field] for field in LETTERS if field in recipe.sweep}
    plain = replace(recipe, sweep={}, halving=None)
    found = {}
    for values in product(*lists.values()):
        swept = dict(zip(lists, values, strict=True))
        found["-".join(name_part(*one) for one in swept.items())] = replace(plain, **swept)  # type: ignore[arg-type]
    return found


def rungs(recipe: Recipe, steps: int) -> tuple[Rung, ...]:
    """Return the rungs of a recipe with halving that takes these steps; the last is at the last step and keeps one."""
    assert recipe.halving is not None
    measured = sorted(validation_steps(steps, recipe))
    places = measurements(recipe.halving, len(measured))
    counts = [*kept(recipe.halving, math.prod(map(len, recipe.sweep.values()))), 1]
    return tuple(
        Rung(step=measured[place - 1], compared=before, kept=after)
        for place, (before, after) in zip(places, pairwise(counts), strict=True)
    )


def measurements(halving: Halving, count: int) -> Sequence[int]:
    """Return which of a training's measurements, counted from 1, are rungs."""
    keep = Fraction(halving.keep)
    return [math.ceil(count * keep ** (halving.rungs - place)) for place in range(1, halving.rungs + 1)]


def enough_measurements(halving: Halving) -> int:
    """Return the smallest number of measurements of which each rung is another one."""
    count = halving.rungs
    while len(set(measurements(halving, count))) < halving.rungs:
        count += 1
    return count


def kept(halving: Halving, count: int) -> Sequence[int]:
    """Return how many of so many combinations take part in each rung: the largest whole number below their share."""
    keep, found = Fraction(halving.keep), [count]
    for _ in range(halving.rungs - 1):
        found.append(max(1, math.floor(found[-1] * keep)))
    return found


def most_rungs(keep: Fraction, count: int) -> int:
    """Return after how many rungs a single combination is left, and one more, which ends its training."""
    found = 1
    while count > 1:
        count, found = max(1, math.floor(count * keep)), found + 1
    return found


def total_steps(recipe: Recipe, steps: int) -> int:
    """Return the optimiser steps of all combinations together, if none diverges or ends early."""
    found = rungs(recipe, steps)
    before = [0, *(rung.step for rung in found)]
    return sum(rung.compared * (rung.step - start) for start, rung in zip(before, found, strict=False))
