"""Which differences are real: paired on the same samples, one draw of resamples for all, Holm within a family."""

from dataclasses import dataclass, replace
from itertools import groupby

from harness.files.json_lines import to_json, write_json
from harness.run.steps import Bench
from harness.run.steps._questions import Cell, Question, questions
from harness.run.steps._recipes import recipe_scores
from harness.run.steps._scored import read
from harness.scoring import comparisons as pairs
from harness.types import Comparison, RecipeScore

VERSION = 5
LIBRARIES = ("numpy",)
__all__ = ["LIBRARIES", "VERSION", "Cell", "Compare", "questions", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Needs the scores of its cells, in their order."""

    cells: tuple[Cell, ...]
    seed: int


def run(spec: Compare, bench: Bench) -> None:
    asked = [one for one in (_present(one, bench) for one in questions(spec.cells)) if one.pairs]
    comparisons: list[Comparison] = []
    recipes: list[RecipeScore] = []
    done = 0
    for _, of_task in groupby(asked, lambda question: spec.cells[question.pairs[0][0]].task):
        together = list(of_task)
        positions = sorted(
            {position for question in together for pair in question.pairs for position in pair}
        )
        cells = [spec.cells[position] for position in positions]
        scored = read(bench, positions, cells)
        if scored.tells:
            comparisons += answer(scored, positions, together, cells[0].primary, spec.seed)
            recipes += recipe_scores(cells, scored, spec.seed)
        done += len(together)
        bench.progress(done, len(asked))
    write_json(bench.folder / "comparisons.json", [to_json(one) for one in comparisons])
    write_json(bench.folder / "recipes.json", [to_json(one) for one in recipes])


def _present(question: Question, bench: Bench) -> Question:
    """The question without pairs of which one side failed."""
    return replace(question, pairs=tuple(p for p in question.pairs if all(bench.need(i).is_dir() for i in p)))


def answer(
    scored: pairs.Scored,
    positions: list[int],  # of its systems among all cells
    asked: list[Question],
    primary: str,
    seed: int,
) -> list[Comparison]:
    """All questions of one task: all pairs share a draw."""
    place = {position: place for place, position in enumerate(positions)}
    placed = [[(place[a], place[b]) for a, b in question.pairs] for question in asked]
    answers = pairs.compared(scored, [pair for together in placed for pair in together], seed)
    found: list[Comparison] = []
    for question, together in zip(asked, placed, strict=True):
        own = {pair: answers[pair] for pair in together}
        sure = pairs.refined(scored, own, primary, len(together), seed)
        told = [one for comparisons in sure.values() for one in comparisons]
        found += pairs.corrected(told, primary, question.family)
    return found
