"""What check and plan say of a plan before anything runs."""

import pytest

from harness.plan.wording import few_steps
from harness.types import Model, Pins, Plan, Recipe, Source, Suite, Task

TASKS = tuple(
    Task(name=name, source=Source(uri="file:x"), prompt="$input", metrics=("exact",), primary="exact")
    for name in "ab"
)
PINS = Pins(device="cpu", models={}, sources={}, adapters={}, libraries={}, test_samples={})


def said(recipe: Recipe, training: dict[str, int]) -> list[str]:
    suite = Suite(
        name="s",
        tasks=TASKS,
        models=(Model(name="m", uri="zoo:llama2-tiny"),),
        recipes=(recipe,),
        train_on=("a", "b"),
    )
    return list(few_steps(Plan(suite=suite, pins=PINS, steps=()), training))


@pytest.mark.parametrize(
    ("recipe", "training", "wanted"),
    [
        (Recipe(name="r", steps=3), {},
         ["recipe r: 3 optimiser steps on a and b: so few hardly change an adapter; raise `steps`"]),
        (Recipe(name="r", steps=20), {"a": 1}, []),
        (Recipe(name="r", epochs=2, batch_size=16), {"a": 40, "b": 4000},
         ["recipe r: 5 optimiser steps on a: so few hardly change an adapter; raise `epochs`"]),
        (Recipe(name="r", epochs=1, batch_size=16, max_samples=16), {"a": 400},
         ["recipe r: 1 optimiser step on a: so few hardly change an adapter; raise `epochs`"]),
        (Recipe(name="r", epochs=1), {}, []),
    ],
)  # fmt: skip
def test_a_recipe_of_very_few_steps_is_remarked_on(
    recipe: Recipe, training: dict[str, int], wanted: list[str]
) -> None:
    assert said(recipe, training) == wanted
