"""The first sentences of an answer: which system scores best, by how much and how surely, and whether a rule beats all."""

from collections.abc import Sequence
from itertools import takewhile

from harness import text as words
from harness.report.answer.contenders import Contender, level
from harness.report.answer.field import Field, turned
from harness.report.answer.sentence import Sentence, Span
from harness.types import Comparison, System

NAMED = 4  # systems with equal scores that a sentence names at most


def lead(field: Field, ranked: Sequence[Contender]) -> Sentence:
    """Return which system scores best. A trivial rule that no model beats is named before any model."""
    where = (Span(text="On "), Span(text=words.visible(field.task.name), strong=True), Span(text=", "))
    if (rule := unbeaten_rule(field)) is not None:
        return (*where, *_rule(field, ranked, rule))
    return (*where, *_models(field, ranked, f"{words.metric(field.task.primary)} "), Span(text="."))


def unbeaten_rule(field: Field) -> System | None:
    """Return the best trivial rule if no model scores better than it does, else None."""
    rule = field.best_rule()
    beaten = rule is None or any(field.behind(rule, system) for system in field.models)
    return None if beaten else rule


def quoted(rule: System) -> str:
    """Return a trivial rule's name in a sentence: `the rule “copy of the input”`."""
    return f"the rule “{words.system(rule)}”"


def joint(field: Field, ranked: Sequence[Contender]) -> list[Contender]:
    """Return the contenders that share the best score: mostly one."""
    return list(takewhile(lambda entry: level(field, [ranked[0], entry]), ranked))


def tested(pair: Comparison) -> str:
    """Return a test's outcome: `p_holm = 0.012`, `not significant, p_holm = 0.31`, `exploratory`."""
    unsure = "" if words.significant(pair) or pair.p_holm is None else "not significant, "
    return unsure + words.certainty(pair)


def _rule(field: Field, ranked: Sequence[Contender], rule: System) -> Sentence:
    score = f"{words.metric(field.task.primary)} {words.score(field.scores[rule])}"
    first = (
        Span(text=f"no model beats {quoted(rule)}", strong=True),
        Span(text=f", which needs no model and has {score}. "),
    )
    best = ranked[0].systems[0]
    pair = field.between(rule, best) if len(ranked[0].systems) == 1 else None
    lead = ""
    if pair is not None and not field.level(rule, best):
        lead = f"; the rule is {ahead(field, pair)} ahead of {ranked[0].name} ({tested(pair)})"
    return (*first, *_models(field, ranked, ""), Span(text=f"{lead}."))


def _models(field: Field, ranked: Sequence[Contender], metric: str) -> Sentence:
    """Return which model scores best; `metric` is the metric's name and a space, or "" after a sentence on a rule."""
    first = joint(field, ranked)
    if len(ranked) == 1:
        return _only(field, ranked[0], metric)
    if len(first) == len(ranked):
        return _all_same(field, ranked[0], metric)
    verb = "lowest, which is best" if field.lower_is_better else "highest"
    verb += "," if field.lower_is_better else ""
    verb += f" of {_tried(field, 'system')}" if metric else f" among the {_tried(field, 'model')}"
    if len(first) > 1:
        return _several(first, verb, metric)
    winner = ranked[0]
    return (
        Span(text=winner.name, strong=True),
        Span(text=f" scores {verb}{_by_mean(field, winner)}: {metric}"),
        Span(text=standing(field, winner), strong=True),
        Span(text=f", {_ahead(field, *ranked[:2])}"),
    )


def _only(field: Field, entry: Contender, metric: str) -> Sentence:
    kind = "recipe" if entry.recipe else "adapter" if entry.systems[0].adapter else "base"
    return (
        Span(text=entry.name, strong=True),
        Span(text=f", the only {kind} that was tried, has {metric}"),
        Span(text=standing(field, entry), strong=True),
    )


def _all_same(field: Field, entry: Contender, metric: str) -> Sentence:
    many = len(field.models)
    who = f"{'both' if many == 2 else f'all {many:,}'} models"
    who = who if metric else who[:1].upper() + who[1:]
    return (
        Span(text=f"{who} score the same", strong=True),
        Span(text=f": {metric}{words.number(entry.value)}"),
    )


def _several(first: Sequence[Contender], verb: str, metric: str) -> Sentence:
    names = [entry.name for entry in first[:NAMED]]
    names += [f"{len(first) - NAMED:,} more"] if len(first) > NAMED else []
    each = "both" if len(first) == 2 else "each"
    return (
        Span(text=words.listed(names), strong=True),
        Span(text=f" score {verb}: {each} {metric}"),
        Span(text=words.number(first[0].value), strong=True),
    )


def standing(field: Field, entry: Contender) -> str:
    """Return a contender's score with its interval, or with its spread over seeds."""
    if entry.recipe is None:
        return words.score(field.scores[entry.systems[0]])
    if entry.over_seeds is not None:
        ends = words.interval(entry.over_seeds.low, entry.over_seeds.high)
        return f"{words.number(entry.over_seeds.value)} {ends} (mean of {len(entry.over_seeds.seeds)} seeds)"
    values = [field.scores[system].value for system in entry.systems]
    spread = f"{words.number(min(values))} to {words.number(max(values))}"
    return f"{words.number(entry.value)} (mean of {len(values)} seeds, {spread})"


def _by_mean(field: Field, winner: Contender) -> str:
    """Return a phrase if a single seed of a recipe scores better than the winner, whose recipe's mean does not."""
    best = max(field.better(field.scores[system].value) for system in field.models)
    own = max(field.better(field.scores[system].value) for system in winner.systems)
    return ", if a recipe counts by the mean of its seeds" if best > own else ""


def _ahead(field: Field, winner: Contender, second: Contender) -> str:
    if field.scores[winner.systems[0]].n == 1:
        return "which a single test sample cannot show to be better than any other"
    gap = f"{words.number(abs(winner.value - second.value))} ahead of {second.name}"
    if len(winner.systems) > 1 or len(second.systems) > 1:
        return f"on average {gap} ({_pairs(field, winner, second)})"
    pair = field.between(winner.systems[0], second.systems[0])
    if pair is None or pair.p_holm is None:
        return f"{gap} (not tested)"
    if words.significant(pair):
        return f"ahead of {second.name} by {ahead(field, pair)} ({words.certainty(pair)})"
    shown = f"difference: {ahead(field, pair)}, {words.certainty(pair)}"
    return f"but not significantly ahead of {second.name} ({shown})"


def ahead(field: Field, pair: Comparison) -> str:
    """Return how far the candidate is ahead, whichever direction of the score is better: `1.4 [0.4, 2.4]`."""
    pair = turned(pair) if field.lower_is_better else pair
    return f"{words.number(pair.difference)} {words.interval(pair.low, pair.high)}"


def _pairs(field: Field, winner: Contender, second: Contender) -> str:
    """Return how many of the tested pairs are significantly ahead, since no single test covers several seeds."""
    found = [field.between(a, b) for a in winner.systems for b in second.systems]
    tested = [pair for pair in found if pair is not None and pair.p_holm is not None]
    if not tested:
        return "not tested"
    ahead = sum(words.significant(pair) and field.better(pair.difference) > 0 for pair in tested)
    return f"{ahead} of {words.plural(len(tested), 'tested pair')} significant"


def _tried(field: Field, noun: str) -> str:
    """Return `6 systems tried (2 models, zero-shot and with 4 examples, and 2 adapters)`; without examples, the bases."""
    models = field.models
    bases = [system for system in models if system.adapter is None]
    adapters = len(models) - len(bases)
    parts = [_bases(field, bases)] if bases else []
    parts += [words.plural(adapters, "adapter") + _halved(field, adapters)] if adapters else []
    ands = ", and " if any("," in part for part in parts) else " and "
    return f"{words.plural(len(models), noun)} tried ({ands.join(parts)})"


def _halved(field: Field, adapters: int) -> str:
    """Return how many combinations of sweeps validation alone chose the adapters from; "" without halving."""
    found = [halved for system in field.models if (halved := field.result.halved(system)) is not None]
    if not found:
        return ""
    count = sum(len(halved.combinations) for halved in found)
    which = (
        "which" if adapters == 1 else "all of which" if len(found) == adapters else f"{len(found):,} of which"
    )
    return f", {which} validation alone chose from {words.plural(count, 'combination')}"


def _bases(field: Field, bases: Sequence[System]) -> str:
    """Return `2 bases`, or how models were asked with different numbers of examples."""
    shots = sorted({system.shots for system in bases})
    if shots == [0]:
        return words.plural(len(bases), "base")
    asked = words.plural(len({system.model for system in bases}), "model")
    if any(System(model=system.model, shots=count) not in bases for system in bases for count in shots):
        return f"{asked} with different numbers of examples"
    without = "as the task asks" if field.task.shots else "zero-shot"
    ways = [f"with {words.plural(count, 'example')}" if count else without for count in shots]
    return f"{asked}, {words.listed(ways)}"
