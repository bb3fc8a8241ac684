"""The answer in two sentences: which system wins, by how much and how surely, and what training added.

A difference is called significant only if its corrected p is below 0.05. What fewer than three seeds show is said of
"this adapter", never of its recipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from harness import text as words
from harness.report.doubts import doubts
from harness.results import AdapterFacts, Result, TaskFacts
from harness.stats import settle
from harness.types import Comparison, RecipeScore, Score, System

ENOUGH_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a sentence, emphasised or not."""

    text: str
    strong: bool = False


Sentence = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A competitor for the best score: a base, an adapter, or, from three seeds on, a recipe's adapters on one base."""

    name: str
    systems: tuple[System, ...]
    value: float  # mean over systems
    recipe: str | None = None  # set if the contender stands for a recipe
    over_seeds: RecipeScore | None = None  # the recipe's interval, if it was computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one task."""

    lead: Sentence
    gain: Sentence
    seeds: str  # how far other seeds limit the answer; may be empty
    power: str
    settled: str  # how large a test set would separate the first two
    winner: Contender
    doubts: tuple[str, ...] = ()  # why the scores mean less than they seem to


@dataclass(frozen=True, slots=True)
class Field:
    """All results of one task under its primary metric."""

    result: Result
    task: TaskFacts

    @property
    def scores(self) -> dict[System, Score]:
        """Return each system's primary score."""
        scores = self.result.scores
        return {score.system: score for score in scores if score.task == self.task.name and score.primary}

    @property
    def facts(self) -> dict[System, AdapterFacts]:
        """Return each adapter's facts."""
        adapters = self.result.suite.adapters
        return {System(model=facts.model, adapter=facts.name): facts for facts in adapters}

    def better(self, value: float) -> float:
        """Return the value with its sign turned if lower is better, so that larger is always better."""
        return value if all(score.better == "higher" for score in self.scores.values()) else -value

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

    def base_of(self, adapted: System) -> System:
        """Return the base of an adapter."""
        return adapted.base

    def rank(self, entries: Sequence[Contender]) -> list[Contender]:
        """Return the contenders, best first."""
        return sorted(entries, key=lambda entry: self.better(entry.value), reverse=True)


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
        difference=-comparison.difference,
        low=-comparison.high,
        high=-comparison.low,
        better=comparison.worse,
        worse=comparison.better,
    )


def entries(field: Field) -> list[Contender]:
    """Return the contenders: bases, adapters, and recipes with three or more seeds in place of their adapters."""
    groups: dict[tuple[object, ...], list[System]] = {}
    for system in field.scores:
        if system.is_trivial:
            continue
        facts = field.facts.get(system)
        seeded = facts is not None and facts.recipe is not None and facts.seed is not None
        key = (system.model, facts.recipe, facts.trained_on) if facts and seeded else (system,)
        groups.setdefault(key, []).append(system)
    found = []
    for group in groups.values():
        facts = field.facts.get(group[0])
        if len(group) >= ENOUGH_SEEDS and facts:
            name = f"{facts.model} with recipe {facts.recipe}"
            several = (
                len(
                    {
                        adapter.trained_on
                        for adapter in field.result.suite.adapters
                        if adapter.recipe == facts.recipe
                    }
                )
                > 1
            )
            name += f" trained on {facts.trained_on}" if several else ""
            found.append(
                Contender(
                    name=words.visible(name),
                    systems=tuple(group),
                    value=fmean(field.scores[system].value for system in group),
                    recipe=facts.recipe,
                    over_seeds=field.over_seeds(facts),
                )
            )
        else:
            found += [
                Contender(name=words.system(system), systems=(system,), value=field.scores[system].value)
                for system in group
            ]
    return found


def answer(result: Result, task: TaskFacts) -> Answer | None:
    """Return the answer for a task; None if no model answered it."""
    field = Field(result, task)
    ranked = field.rank(entries(field))
    if not ranked:
        return None
    return Answer(
        lead=_lead(field, ranked),
        gain=_gain(field, ranked[0]),
        seeds=_seeds(field, ranked[0]),
        power=_power(field),
        settled=_settled(field, ranked),
        winner=ranked[0],
        doubts=doubts(result, task),
    )


def _lead(field: Field, ranked: Sequence[Contender]) -> Sentence:
    winner = ranked[0]
    verb = "scores highest" if field.better(1) > 0 else "scores lowest, which is best"
    return (
        Span(text="On "),
        Span(text=words.visible(field.task.name), strong=True),
        Span(text=", "),
        Span(text=winner.name, strong=True),
        Span(text=f" {verb}: {words.metric(field.task.primary)} "),
        Span(text=_standing(field, winner), strong=True),
        Span(text=f", {_ahead(field, ranked)}the best of {_tried(field)}."),
    )


def _standing(field: Field, entry: Contender) -> str:
    if entry.recipe is None:
        return words.score(field.scores[entry.systems[0]])
    if entry.over_seeds is not None:
        ends = words.interval(entry.over_seeds.low, entry.over_seeds.high)
        return f"{words.number(entry.over_seeds.value)} {ends} (mean of {len(entry.over_seeds.seeds)} seeds)"
    values = [field.scores[system].value for system in entry.systems]
    spread = f"{words.number(min(values))} to {words.number(max(values))}"
    return f"{words.number(entry.value)} (mean of {len(values)} seeds, {spread})"


def _ahead(field: Field, ranked: Sequence[Contender]) -> str:
    if len(ranked) < 2:
        return ""
    winner, second = ranked[:2]
    gap = abs(winner.value - second.value)
    if len(winner.systems) > 1 or len(second.systems) > 1:
        return f"on average {words.number(gap)} ahead of {second.name} ({_pairs(field, winner, second)}), "
    tested = field.between(winner.systems[0], second.systems[0])
    if tested is None or tested.p_holm is None:
        return f"{words.number(gap)} ahead of {second.name} (not tested), "
    if field.better(1) < 0:
        tested = turned(tested)
    size = f"{words.number(abs(tested.difference))} {words.interval(tested.low, tested.high)}"
    if words.significant(tested):
        return f"ahead of {second.name} by {size} ({words.certainty(tested)}), "
    return f"but not significantly ahead of {second.name} ({size}, {words.certainty(tested)}), "


def _pairs(field: Field, winner: Contender, second: Contender) -> str:
    """Return how many of the tested pairs are significantly ahead, since no single test covers several seeds."""
    found = [field.between(a, b) for a in winner.systems for b in second.systems]
    tested = [pair for pair in found if pair is not None and pair.p_holm is not None]
    if not tested:
        return "not tested"
    ahead = sum(words.significant(pair) and field.better(pair.difference) > 0 for pair in tested)
    return f"{ahead} of {words.plural(len(tested), 'tested pair')} significant"


def _tried(field: Field) -> str:
    models = [system for system in field.scores if not system.is_trivial]
    adapters = sum(system.adapter is not None for system in models)
    bases = len(models) - adapters
    parts = [
        words.plural(bases, "base") if bases else "",
        words.plural(adapters, "adapter") if adapters else "",
    ]
    return f"{words.plural(len(models), 'system')} tried ({words.listed([part for part in parts if part])})"


def _gain(field: Field, winner: Contender) -> Sentence:
    adapted = [system for system in field.scores if system.adapter is not None]
    if not adapted:
        return (Span(text="No adapter was tried on this task"), *_outdone(field, winner), Span(text="."))
    own = (
        [system for system in adapted if field.facts[system].trained_on in (None, field.task.name)]
        if field.facts
        else adapted
    )
    away = [system for system in adapted if system not in own]
    spans = [*_verdicts(field, own, "adapter")]
    if away:
        first, *rest = _verdicts(
            field, away, "adapter trained on another task", "adapters trained on another task"
        )
        if own:
            spans += [Span(text="; ")]
            first = replace(first, text=first.text[:1].lower() + first.text[1:])
        spans += [first, *rest]
    return (*spans, *_added(field, winner), Span(text="."))


def _verdicts(field: Field, adapters: Sequence[System], one: str, many: str | None = None) -> list[Span]:
    """Return how many adapters beat their base, score below it, or do not differ significantly from it."""
    if not adapters:
        return []
    pairs = [field.between(adapted, field.base_of(adapted)) for adapted in adapters]
    tested = [pair for pair in pairs if pair is not None]
    if not tested:
        return [Span(text=f"{words.plural(len(adapters), one, many)}, not compared with a base")]
    up = [pair for pair in tested if words.significant(pair) and field.better(pair.difference) > 0]
    down = [pair for pair in tested if words.significant(pair) and field.better(pair.difference) < 0]
    if len(up) == len(adapters):
        who = words.every(len(up), one, many)
        return [
            Span(text=f"{who} {'beats its' if len(up) == 1 else 'beat their'} base", strong=True),
            _range(up),
        ]
    if len(down) == len(adapters):
        who = words.every(len(down), one, many)
        return [
            Span(
                text=f"{who} {'scores' if len(down) == 1 else 'score'} below {'its' if len(down) == 1 else 'their'} base",
                strong=True,
            ),
            _range(down),
        ]
    unsure = len(adapters) - len(up) - len(down)
    if unsure == len(adapters):
        who = (
            f"The {one} does not differ"
            if unsure == 1
            else f"None of {words.plural(unsure, one, many)} differs"
        )
        return [Span(text=f"{who} significantly from its base", strong=True)]
    said = [
        f"{len(up)} {'beats its' if len(up) == 1 else 'beat their'} base" if up else "",
        f"{len(down)} {'scores below its' if len(down) == 1 else 'score below their'} base" if down else "",
        f"{unsure} {'shows' if unsure == 1 else 'show'} no significant difference" if unsure else "",
    ]
    return [
        Span(text=f"Of {words.plural(len(adapters), one, many)}, ", strong=False),
        Span(text=words.listed([part for part in said if part]), strong=True),
    ]


def _range(pairs: Sequence[Comparison]) -> Span:
    """Return the range of differences and the largest p among the pairs."""
    sizes = sorted(pair.difference for pair in pairs)
    worst = max(pair.p_holm or 0.0 for pair in pairs)
    if len(pairs) == 1:
        return Span(text=f" by {words.difference(pairs[0])} ({words.certainty(pairs[0])})")
    each = words.p_value(worst, "p_holm").replace("=", "≤")
    return Span(text=f" by {words.signed(sizes[0])} to {words.signed(sizes[-1])} ({each} each)")


def _added(field: Field, winner: Contender) -> list[Span]:
    """Compare the winner with the best system that needs no training: its base, with or without examples, or a rule."""
    if winner.systems[0].adapter is None:
        return [Span(text=", so no adapter trained here beats the best base"), *_outdone(field, winner)]
    if outdone := _outdone(field, winner):
        return outdone
    untrained = [
        Contender(name=words.system(system), systems=(system,), value=score.value)
        for system, score in field.scores.items()
        if system.adapter is None and (system.is_trivial or system.model == winner.systems[0].model)
    ]
    if not untrained:
        return []
    best = field.rank(untrained)[0]
    reference = best.systems[0]
    tested = field.between(winner.systems[0], reference) if len(winner.systems) == 1 else None
    added = words.signed(winner.value - best.value)
    if tested is not None:
        unsure = "" if words.significant(tested) or tested.p_holm is None else "not significant, "
        added = f"{words.difference(tested)} ({unsure}{words.certainty(tested)})"
    elif winner.over_seeds is not None and reference == field.base_of(winner.systems[0]):
        added = words.to_base(winner.over_seeds)
    what = "its recipe" if winner.recipe else "the winner"
    name = f"the rule “{best.name}”" if reference.is_trivial else best.name
    kinds = ["its base"]
    kinds += ["the base with examples"] if any(entry.systems[0].shots for entry in untrained) else []
    kinds += ["the trivial rules"] if any(entry.systems[0].is_trivial for entry in untrained) else []
    among = f", the best of {words.listed(kinds)}" if len(kinds) > 1 else ""
    return [Span(text=f"; {what} adds {added} over {name}{among}")]


def _outdone(field: Field, winner: Contender) -> list[Span]:
    """Return the news that a trivial rule scores better than the winner; empty if none does."""
    rules = [
        Contender(name=words.system(system), systems=(system,), value=score.value)
        for system, score in field.scores.items()
        if system.is_trivial
    ]
    if not rules or field.better(field.rank(rules)[0].value) <= field.better(winner.value):
        return []
    best = field.rank(rules)[0]
    text = f"the rule “{best.name}”, which needs no model, has {words.score(field.scores[best.systems[0]])}"
    tested = field.between(best.systems[0], winner.systems[0]) if len(winner.systems) == 1 else None
    if tested is None:
        return [Span(text="; "), Span(text=text, strong=True)]
    unsure = "" if words.significant(tested) or tested.p_holm is None else "not significant, "
    more = f", {words.difference(tested)} against the winner ({unsure}{words.certainty(tested)})"
    return [Span(text="; "), Span(text=text, strong=True), Span(text=more)]


def _seeds(field: Field, winner: Contender) -> str:
    """Return a warning if too few seeds were tried, otherwise how the winner's interval accounts for seeds."""
    counts: dict[tuple[str, str | None, str | None], int] = {}
    for system in field.scores:
        facts = field.facts.get(system)
        if facts is not None and facts.recipe is not None:
            key = (facts.model, facts.recipe, facts.trained_on)
            counts[key] = counts.get(key, 0) + 1
    fewest = min(counts.values(), default=ENOUGH_SEEDS)
    if fewest >= ENOUGH_SEEDS:
        return f"Over seeds: {winner.over_seeds.method}." if winner.over_seeds else ""
    trained = "one seed" if fewest == 1 else f"{fewest} seeds"
    if len(counts) == 1:
        return f"Trained with {trained}: this holds for this adapter; another seed may give another result."
    return f"Trained with {trained} each: this holds for these adapters; other seeds may give other results."


def _power(field: Field) -> str:
    """Return a sentence on the differences that this number of samples cannot detect."""
    detectable = [
        comparison.detectable
        for comparison in field.result.comparisons
        if comparison.task == field.task.name and comparison.metric == field.task.primary
    ]
    n = next(iter(field.scores.values())).n
    return words.unseen(max(detectable), n, f"With {words.plural(n, 'test sample')}, ") if detectable else ""


def _settled(field: Field, ranked: Sequence[Contender]) -> str:
    """Return a sentence on how many samples would probably separate the first two."""
    first = [contender.systems[0] for contender in ranked[:2] if len(contender.systems) == 1]
    tested = field.between(*first) if len(first) == 2 else None
    if tested is None or tested.p_holm is None:
        return ""
    return settle.sentence(tested, "which of the first two is better")
