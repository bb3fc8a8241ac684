"""Compare systems: differences paired on the same samples, one draw of resamples for all, Holm within a family."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.metrics import load
from harness.run.steps import Contribution, Finished, StepContext
from harness.scoring import comparisons as pairs
from harness.scoring import stored
from harness.scoring.questions import Cell, Question, questions
from harness.scoring.recipes import recipe_scores
from harness.types import Comparison, RecipeScore

VERSION = 5
LIBRARIES = ("numpy",)
LANE = False
TOLERANT = True
COMPARISONS = "comparisons.json"
RECIPES = "recipes.json"
FILES = (COMPARISONS, RECIPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """The settings of a comparison. The step needs the scores of its cells, in their order."""

    cells: tuple[Cell, ...]
    seed: int


def run(spec: Compare, context: StepContext) -> None:
    """Compare the systems of each task, and each recipe with its base over its seeds."""
    asked = [present for question in questions(spec.cells) if (present := _present(question, context)).pairs]
    comparisons: list[Comparison] = []
    recipes: list[RecipeScore] = []
    done = 0
    for _, of_task in groupby(asked, lambda question: spec.cells[question.pairs[0][0]].task):
        together = list(of_task)
        positions = sorted(
            {position for question in together for pair in question.pairs for position in pair}
        )
        cells = [spec.cells[position] for position in positions]
        scored = _scored([context.need(position) for position in positions], cells)
        if scored.tells:
            comparisons += answer(scored, positions, together, cells[0].primary, spec.seed)
            recipes += recipe_scores(cells, scored, spec.seed)
        done += len(together)
        context.progress(done, len(asked))
    write_json(context.folder / COMPARISONS, [to_json(comparison) for comparison in comparisons])
    write_json(context.folder / RECIPES, [to_json(recipe) for recipe in recipes])


def contributes(finished: Finished) -> Contribution:
    """Return the comparisons, and the scores of recipes over their seeds."""
    comparisons = read_json(finished.folder / COMPARISONS)
    recipes = read_json(finished.folder / RECIPES)
    return Contribution(
        comparisons=tuple(from_json(Comparison, comparison) for comparison in comparisons),
        recipes=tuple(from_json(RecipeScore, recipe) for recipe in recipes),
    )


def _scored(folders: Sequence[Path], cells: Sequence[Cell]) -> pairs.Scored:
    """Return the rows of one task's systems; a metric with `corpus` has no rows."""
    metrics, tables = [], []
    for name in cells[0].metrics:
        metric = load(name)
        if metric.formula is None:
            continue
        rows = np.stack([stored.read_table(folder, name) for folder in folders], axis=1)
        metrics.append(metric)
        tables.append(metric.table(rows))
    return pairs.Scored(
        task=cells[0].task,
        systems=tuple(cell.system for cell in cells),
        metrics=tuple(metrics),
        tables=tuple(tables),
        clusters=stored.read_clusters(folders[0]),
    )


def _present(question: Question, context: StepContext) -> Question:
    """Return the question without the pairs in which one of the two systems failed."""
    return replace(
        question, pairs=tuple(p for p in question.pairs if all(context.need(i).is_dir() for i in p))
    )


def answer(
    scored: pairs.Scored,
    positions: list[int],  # of its systems among all cells
    asked: list[Question],
    primary: str,
    seed: int,
) -> list[Comparison]:
    """Return the answers to all questions of one task; all pairs share one draw of resamples."""
    place = {position: place for place, position in enumerate(positions)}
    placed = [[(place[a], place[b]) for a, b in question.pairs] for question in asked]
    answers = pairs.compared(scored, [pair for together in placed for pair in together], seed)
    found: list[Comparison] = []
    for question, together in zip(asked, placed, strict=True):
        own = {pair: answers[pair] for pair in together}
        sure = pairs.refined(scored, own, primary, len(together), seed)
        refined = [comparison for comparisons in sure.values() for comparison in comparisons]
        found += pairs.corrected(refined, primary, question.family)
    return found
