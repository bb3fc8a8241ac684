"""All scores of one task under its primary metric, and the comparison of any two of its systems."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness import text as words
from harness.report.unasked import stand_ins
from harness.results import AdapterFacts, Result, TaskFacts
from harness.types import Comparison, RecipeScore, Score, System

ENOUGH_SEEDS = 3  # with fewer, the result is one of these adapters and not of their recipe


@dataclass(frozen=True)  # without slots: what is derived is kept
class Field:
    """All results of one task under its primary metric."""

    result: Result
    task: TaskFacts

    @cached_property
    def scores(self) -> dict[System, Score]:
        """Return each system's primary score."""
        scores = self.result.scores
        return {score.system: score for score in scores if score.task == self.task.name and score.primary}

    @cached_property
    def models(self) -> list[System]:
        """Return the systems other than the trivial rules; a base that a rule answers for is one only if all are."""
        systems = [system for system in self.scores if not system.is_trivial]
        by_rules = stand_ins(self.result, self.task)
        return [system for system in systems if system not in by_rules] or systems

    @cached_property
    def facts(self) -> dict[System, AdapterFacts]:
        """Return each adapter's facts."""
        adapters = self.result.suite.adapters
        return {System(model=facts.model, adapter=facts.name): facts for facts in adapters}

    @cached_property
    def lower_is_better(self) -> bool:
        """Return whether a lower score is better."""
        return any(score.better == "lower" for score in self.scores.values())

    def better(self, value: float) -> float:
        """Return the value with its sign turned if lower is better, so that larger is always better."""
        return -value if self.lower_is_better else value

    def between(self, candidate: System, baseline: System) -> Comparison | None:
        """Return the comparison candidate minus baseline, whichever way round it was measured."""
        return between(self.result.comparisons, self.task, candidate, baseline)

    def over_seeds(self, adapter: AdapterFacts) -> RecipeScore | None:
        """Return the score of the adapter's recipe over its seeds, if it has an interval."""
        whose = (self.task.name, self.task.primary, adapter.model, adapter.recipe, adapter.trained_on)
        for found in self.result.recipes:
            same = (found.task, found.metric, found.model, found.recipe, found.trained_on) == whose
            if same and found.low is not None and len(found.seeds) >= ENOUGH_SEEDS:
                return found
        return None

    def best(self, systems: Sequence[System]) -> System | None:
        """Return the system with the best score, the first of equal ones; None without systems."""
        return max(systems, key=lambda system: self.better(self.scores[system].value), default=None)

    def best_rule(self) -> System | None:
        """Return the trivial rule with the best score; None if no rule answered."""
        return self.best([system for system in self.scores if system.is_trivial])

    def level(self, one: System, other: System) -> bool:
        """Return whether two systems have the same score: equal as it is shown, and not significantly different."""
        shown = {words.number(self.scores[system].value) for system in (one, other)}
        return len(shown) == 1 and not words.significant(self.between(one, other))

    def behind(self, one: System, other: System) -> bool:
        """Return whether a system scores worse than another, and the scores are not the same."""
        worse = self.better(self.scores[one].value) < self.better(self.scores[other].value)
        return worse and not self.level(one, other)


def between(
    comparisons: Sequence[Comparison], task: TaskFacts, candidate: System, baseline: System
) -> Comparison | None:
    """Return the primary metric's comparison of two systems; one within a Holm family comes before an exploratory one."""
    found = None
    for comparison in comparisons:
        if (
            comparison.task != task.name
            or comparison.metric != task.primary
            or {comparison.candidate, comparison.baseline} != {candidate, baseline}
        ):
            continue
        if found is None or found.p_holm is None:
            found = comparison
    return found if found is None or found.candidate == candidate else turned(found)


def turned(comparison: Comparison) -> Comparison:
    """Return the comparison with candidate and baseline exchanged."""
    return replace(
        comparison,
        candidate=comparison.baseline,
        baseline=comparison.candidate,
        difference=0.0 - comparison.difference,  # not −x, which makes a minus zero of a zero
        low=0.0 - comparison.high,
        high=0.0 - comparison.low,
        better=comparison.worse,
        worse=comparison.better,
    )
