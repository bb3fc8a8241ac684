"""How far an answer reaches: other seeds, differences too small for this test set, and how many samples would settle it."""

from collections.abc import Sequence

from harness import text as words
from harness.report.answer.contenders import Contender
from harness.report.answer.field import ENOUGH_SEEDS, Field
from harness.stats import settle


def seeds(field: Field, winner: Contender) -> str:
    """Return a warning if too few seeds were tried, otherwise how the winner's interval accounts for seeds."""
    counts: dict[tuple[str, str | None, str | None], int] = {}
    for system in field.models:
        facts = field.facts.get(system)
        if facts is not None and facts.recipe is not None:
            key = (facts.model, facts.recipe, facts.trained_on)
            counts[key] = counts.get(key, 0) + 1
    fewest = min(counts.values(), default=ENOUGH_SEEDS)
    if fewest >= ENOUGH_SEEDS:
        return f"Over seeds: {winner.over_seeds.method}." if winner.over_seeds else ""
    trained = "one seed" if fewest == 1 else f"{fewest} seeds"
    if sum(counts.values()) == 1:
        return f"Trained with {trained}: this holds for this adapter; another seed may give another result."
    if len(set(counts.values())) > 1:
        return (
            f"Some recipes were trained with {trained} only: what is said of them holds for these adapters; other seeds "
            "may give other results."
        )
    each = " each" if len(counts) > 1 else ""
    return f"Trained with {trained}{each}: this holds for these adapters; other seeds may give other results."


def power(field: Field) -> str:
    """Return a sentence on the differences that this number of samples cannot detect."""
    detectable = [
        comparison.detectable
        for comparison in field.result.comparisons
        if comparison.task == field.task.name and comparison.metric == field.task.primary
    ]
    n = next(iter(field.scores.values())).n
    return words.unseen(max(detectable), n, f"With {words.plural(n, 'test sample')}, ") if detectable else ""


def settled(field: Field, ranked: Sequence[Contender]) -> str:
    """Return a sentence on how many samples would probably separate the first two."""
    first = [contender.systems[0] for contender in ranked[:2] if len(contender.systems) == 1]
    pair = field.between(*first) if len(first) == 2 else None
    if pair is None or pair.p_holm is None:
        return ""
    return settle.sentence(pair, "which of the first two is better")
