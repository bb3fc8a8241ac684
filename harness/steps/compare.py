"""Which differences are real: paired on the same samples, one draw of resamples for all, Holm within a family."""

from dataclasses import dataclass, replace
from itertools import groupby

from harness import stats
from harness.metrics import Metric
from harness.records import to_json, write_json
from harness.steps import Bench
from harness.steps._questions import Cell, Question, questions
from harness.steps._recipes import recipe_scores
from harness.steps._scored import Scored, read
from harness.types import Comparison, RecipeScore

VERSION = 4
LIBRARIES = ("numpy",)

# A family of many pairs needs more resamples for its smallest p, and only for those: a p of a hundredth has had a hundred
# hits among 10,000 resamples, and rests on as much as in a small family. With 496 pairs all of them took 88 s.
SMALL = 0.01
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
        scored = _read(spec, bench, together)
        if scored.tells:
            comparisons += answer(spec, scored, together)
            recipes += recipe_scores(spec.cells, scored, spec.seed)
        done += len(together)
        bench.progress(done, len(asked))
    write_json(bench.folder / "comparisons.json", [to_json(one) for one in comparisons])
    write_json(bench.folder / "recipes.json", [to_json(one) for one in recipes])


def _present(question: Question, bench: Bench) -> Question:
    """The question without pairs of which one side failed."""
    return replace(question, pairs=tuple(p for p in question.pairs if all(bench.need(i).is_dir() for i in p)))


def _read(spec: Compare, bench: Bench, asked: list[Question]) -> Scored:
    """The rows of all that one task's questions are about."""
    positions = sorted({position for question in asked for pair in question.pairs for position in pair})
    return read(bench, positions, spec.cells[positions[0]].metrics)


def answer(spec: Compare, scored: Scored, asked: list[Question]) -> list[Comparison]:
    """All questions of one task: all pairs share a draw."""
    found: list[Comparison] = []
    answers = _compare(spec, scored, [pair for question in asked for pair in question.pairs])
    for question in asked:
        primary = spec.cells[question.pairs[0][0]].primary
        compared = {pair: answers[pair] for pair in question.pairs}
        found += _corrected(question, primary, _refined(spec, scored, question, primary, compared))
    return found


def _refined(
    spec: Compare,
    scored: Scored,
    question: Question,
    primary: str,
    compared: dict[stats.Pair, list[Comparison]],
) -> list[Comparison]:
    """Small p of the primary metric anew, from as many resamples as the family needs."""
    column = scored.column(primary)
    small = [
        pair
        for pair, found in compared.items()
        if any(one.metric == primary and one.p < SMALL and one.test != stats.MCNEMAR for one in found)
    ]
    if question.resamples == stats.RESAMPLES or column is None or not small:
        return [one for found in compared.values() for one in found]
    table, name = column
    chances, test = stats.chance(
        table,
        scored.places(small),
        resamples=question.resamples,
        seed=spec.seed,
        clusters=scored.clusters,
    )
    anew = dict(zip(small, chances[:, name].tolist(), strict=True))
    return [
        replace(one, p=anew[pair], test=test) if pair in anew and one.metric == primary else one
        for pair, found in compared.items()
        for one in found
    ]


def _corrected(question: Question, metric: str, found: list[Comparison]) -> list[Comparison]:
    """Holm over the primary metric's comparisons; the others stay exploratory."""
    family = [one for one in found if one.metric == metric]
    adjusted = dict(zip(map(id, family), stats.holm([one.p for one in family]), strict=True))
    return [
        replace(one, p_holm=adjusted[id(one)], family=question.family) if id(one) in adjusted else one
        for one in found
    ]


def _compare(spec: Compare, scored: Scored, pairs: list[stats.Pair]) -> dict[stats.Pair, list[Comparison]]:
    """Of each pair a comparison for every score of every metric, in order."""
    tables = stats.compare(
        scored.tables,
        scored.places(pairs),
        seed=spec.seed,
        clusters=scored.clusters,
    )
    return {
        pair: [
            comparison
            for metric, paired in zip(scored.metrics, results, strict=True)
            for comparison in _comparisons(spec.cells[pair[0]], spec.cells[pair[1]], metric, paired, scored.n)
        ]
        for pair, results in zip(pairs, zip(*tables, strict=True), strict=True)
    }


def _comparisons(
    baseline: Cell, candidate: Cell, metric: Metric, paired: stats.Paired, n: int
) -> list[Comparison]:
    better, worse = paired.better, paired.worse
    if metric.better == "lower":
        better, worse = worse, better
    return [
        Comparison(
            task=baseline.task,
            metric=name,
            baseline=baseline.system,
            candidate=candidate.system,
            difference=float(paired.difference[i]),
            low=float(paired.low[i]),
            high=float(paired.high[i]),
            p=float(paired.p[i]),
            p_holm=None,
            family=None,
            test=paired.test,
            detectable=float(paired.detectable[i]),
            n=n,
            better=int(better[i]),
            worse=int(worse[i]),
        )
        for i, name in enumerate(metric.names)
    ]
