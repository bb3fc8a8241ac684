"""Score recipes over their seeds: the mean of a recipe's adapters on one base, and its difference from that base."""

from collections.abc import Mapping, Sequence

from harness import stats
from harness.scoring.comparisons import Scored
from harness.scoring.questions import Cell
from harness.types import RecipeScore

Whose = tuple[str, str, str | None]  # model, recipe, task that it was trained on


def recipe_scores(here: Sequence[Cell], scored: Scored, seed: int) -> list[RecipeScore]:
    """Return the score of each recipe with two scored seeds or more, under the task's primary metric.

    The cells stand in the order of the tables.
    """
    column = scored.column(here[0].primary)
    if column is None:
        return []
    table, name = column
    bases = {cell.system.model: place for place, cell in enumerate(here) if cell.system == cell.system.base}
    return [
        _recipe_score(
            here[0],
            whose,
            tuple(seeds),
            stats.over_seeds(
                [table.rows[:, place] for place in seeds.values()],
                table.rows[:, bases[whose[0]]] if whose[0] in bases else None,
                table.value,
                seed=seed,
                clusters=scored.clusters,
            ),
            name,
            scored.n,
        )
        for whose, seeds in _recipes(here).items()
        if len(seeds) > 1
    ]


def _recipes(here: Sequence[Cell]) -> Mapping[Whose, Mapping[int, int]]:
    """Return the places of each recipe's systems, by seed."""
    found: dict[Whose, dict[int, int]] = {}
    for place, cell in enumerate(here):
        if cell.recipe is not None and cell.seed is not None:
            found.setdefault((cell.system.model, cell.recipe, cell.trained_on), {})[cell.seed] = place
    return found


def _recipe_score(
    cell: Cell,  # any of the task's
    whose: Whose,
    seeds: tuple[int, ...],
    found: stats.OverSeeds,
    name: int,  # the score's place in arrays
    n: int,
) -> RecipeScore:
    def at(numbers: stats.Array | None) -> float | None:
        return None if numbers is None else float(numbers[name])

    score, difference = found.score, found.difference
    model, recipe, trained_on = whose
    return RecipeScore(
        task=cell.task,
        model=model,
        recipe=recipe,
        trained_on=trained_on,
        metric=cell.primary,
        seeds=seeds,
        value=float(score.value[name]),
        low=at(score.low),
        high=at(score.high),
        difference=at(difference.value if difference else None),
        difference_low=at(difference.low if difference else None),
        difference_high=at(difference.high if difference else None),
        method=found.method,
        n=n,
    )
