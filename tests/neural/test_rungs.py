"""The rungs of a sweep with halving: the paper's brackets, and as many steps as they say."""

from dataclasses import replace
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.neural.rungs import (
    combinations,
    enough_measurements,
    measurements,
    most_rungs,
    rungs,
    total_steps,
    validation_steps,
)
from harness.types import Halving, Recipe

RECIPE = Recipe(name="grid", steps=81, validations=81)


def grid(count: int, keep: str, number: int, steps: int, validations: int) -> Recipe:
    sweep = {"rank": tuple(range(1, count + 1))}
    return replace(
        RECIPE, steps=steps, validations=validations, sweep=sweep, halving=Halving(keep=keep, rungs=number)
    )


def test_the_brackets_of_hyperband() -> None:
    """Table 1 of Li et al. 2018 (R = 81, eta = 3): n_i and r_i of each bracket, by the number of its rungs.

    Their brackets of 34, 15 and 8 begin below the most that a bracket can have; `rungs` is the length of the column.
    """
    table = {
        (81, 5): [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        (27, 4): [(27, 3), (9, 9), (3, 27), (1, 81)],
        (9, 3): [(9, 9), (3, 27), (1, 81)],
        (6, 2): [(6, 27), (2, 81)],
        (5, 1): [(5, 81)],
    }
    for (count, number), wanted in table.items():
        found = rungs(grid(count, "1/3", number, 81, 81), 81)
        assert [(rung.compared, rung.step) for rung in found] == wanted
        assert [rung.kept for rung in found] == [*(n for n, _ in wanted[1:]), 1]


def test_the_default_of_four_measurements_has_three_rungs_by_halves() -> None:
    found = rungs(grid(8, "1/2", 3, 40, 4), 40)
    assert [(rung.step, rung.compared, rung.kept) for rung in found] == [(10, 8, 4), (20, 4, 2), (40, 2, 1)]
    assert total_steps(grid(8, "1/2", 3, 40, 4), 40) == 8 * 10 + 4 * 10 + 2 * 20


SHARES = ["1/2", "1/3", "1/4", "2/3", "9/10"]


@given(
    st.integers(2, 256), st.sampled_from(SHARES), st.integers(1, 6), st.integers(1, 300), st.integers(1, 40)
)
def test_rungs_are_measurements_and_leave_one(
    count: int, keep: str, number: int, steps: int, more: int
) -> None:
    halving = Halving(keep=keep, rungs=min(number, most_rungs(Fraction(keep), count)))
    fewest = enough_measurements(halving)
    assert fewest == halving.rungs or len(set(measurements(halving, fewest - 1))) < halving.rungs
    if steps < fewest:
        return
    recipe = grid(count, keep, halving.rungs, steps, fewest + more)
    found = rungs(recipe, steps)
    assert {rung.step for rung in found} <= validation_steps(steps, recipe)
    assert found[-1].step == steps and found[-1].kept == 1
    assert all(rung.kept < rung.compared or rung.compared == 1 for rung in found)
    assert total_steps(recipe, steps) <= count * steps


@given(st.permutations(["rank", "learning_rate", "warmup"]))
def test_the_order_of_the_grid_does_not_matter(order: list[str]) -> None:
    values = {"rank": (4, 16), "learning_rate": (1e-3, 3e-3), "warmup": (0.0, 0.5)}
    recipe = replace(RECIPE, sweep={field: values[field] for field in order}, halving=Halving())
    found = combinations(recipe)
    assert list(found)[:3] == ["r4-lr0.001-w0", "r4-lr0.001-w0.5", "r4-lr0.003-w0"]
    assert len(found) == prod(map(len, values.values()))
    last = found["r16-lr0.003-w0.5"]
    assert (last.rank, last.learning_rate, last.warmup, last.halving) == (16, 3e-3, 0.5, None)


@pytest.mark.parametrize(
    ("keep", "count", "most"), [("1/2", 2, 2), ("1/2", 8, 4), ("1/3", 9, 3), ("9/10", 3, 3)]
)
def test_so_many_rungs_leave_one(keep: str, count: int, most: int) -> None:
    assert most_rungs(Fraction(keep), count) == most
