"""What training added: how many adapters beat their base, and what the best one adds over systems that need no training."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness import text as words
from harness.report.answer.contenders import Contender, level
from harness.report.answer.field import Field
from harness.report.answer.lead import ahead, quoted, tested, unbeaten_rule
from harness.report.answer.sentence import Sentence, Span
from harness.report.unasked import stand_ins
from harness.types import Comparison, System


def gain(field: Field, ranked: Sequence[Contender]) -> Sentence:
    """Return what the adapters added."""
    adapted = [system for system in field.models if system.adapter is not None]
    if not adapted:
        return (
            Span(text="No adapter was tried on this task"),
            *_beside_rule(field, ranked[0]),
            Span(text="."),
        )
    own = [system for system in adapted if _trained_on(field, system) in (None, field.task.name)]
    away = [system for system in adapted if system not in own]
    parts = [_verdicts(field, _Nouns("adapter", "adapters"), own)]
    parts.append(
        _verdicts(field, _Nouns("adapter trained on another task", "adapters trained on another task"), away)
    )
    first, *others = [part for part in parts if part]
    spans = list(first)
    for part in others:
        spans += [Span(text="; "), _lower(part[0]), *part[1:]]
    return (*spans, *_added(field, ranked, adapted), Span(text="."))


def _trained_on(field: Field, system: System) -> str | None:
    facts = field.facts.get(system)
    return None if facts is None else facts.trained_on


def _lower(span: Span) -> Span:
    return Span(text=span.text[:1].lower() + span.text[1:], strong=span.strong)


@dataclass(frozen=True, slots=True)
class _Nouns:
    """A noun for some adapters, in singular and plural."""

    one: str
    many: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """Adapters by how they compare with their base."""

    up: list[Comparison]  # significantly better
    down: list[Comparison]  # significantly worse
    unsure: list[Comparison]  # the others
    untested: int  # not compared with a base

    @property
    def total(self) -> int:
        """Return the number of adapters."""
        return len(self.up) + len(self.down) + len(self.unsure) + self.untested


def _counted(field: Field, adapters: Sequence[System]) -> _Count:
    pairs = [field.between(adapter, adapter.base) for adapter in adapters]
    found = [pair for pair in pairs if pair is not None]
    sure = [pair for pair in found if words.significant(pair)]
    up = [pair for pair in sure if field.better(pair.difference) > 0]
    down = [pair for pair in sure if field.better(pair.difference) < 0]
    unsure = [pair for pair in found if pair not in up and pair not in down]
    return _Count(up=up, down=down, unsure=unsure, untested=len(pairs) - len(found))


def _verdicts(field: Field, nouns: _Nouns, adapters: Sequence[System]) -> list[Span]:
    """Return how many adapters beat their base, score worse than it, or do not differ significantly from it."""
    if not adapters:
        return []
    count = _counted(field, adapters)
    for pairs, one, many in (
        (count.up, "beats its", "beat their"),
        (count.down, f"scores {_worse(field)} its", f"score {_worse(field)} their"),
    ):
        if len(pairs) == count.total:
            who = words.every(count.total, nouns.one, nouns.many)
            verb = one if count.total == 1 else many
            return [Span(text=f"{who} {verb} base", strong=True), _range(pairs)]
    if len(count.unsure) == count.total:
        said = _none(count.total, nouns, "differs significantly from", "does not differ significantly from")
        return [Span(text=said, strong=True), *([_range(count.unsure)] if count.total == 1 else [])]
    if count.untested == count.total:
        return [Span(text=_none(count.total, nouns, "was compared with", "was not compared with"))]
    return [
        Span(text=f"Of {words.plural(count.total, nouns.one, nouns.many)}, "),
        Span(text=words.listed(_shares(field, count)), strong=True),
    ]


def _none(n: int, nouns: _Nouns, verb: str, denied: str) -> str:
    """Return `The adapter does not differ from its base` or `None of 3 adapters differs from its base`."""
    if n == 1:
        return f"The {nouns.one} {denied} its base"
    if n == 2:
        return f"Neither {nouns.one} {verb} its base"
    return f"None of {n:,} {nouns.many} {verb} its base"


def _shares(field: Field, count: _Count) -> list[str]:
    worse = _worse(field)
    said = [
        (len(count.up), "beats its base", "beat their base"),
        (len(count.down), f"scores {worse} its base", f"score {worse} their base"),
        (len(count.unsure), "shows no significant difference", "show no significant difference"),
        (count.untested, "was not compared with its base", "were not compared with their base"),
    ]
    return [f"{n:,} {one if n == 1 else many}" for n, one, many in said if n]


def _worse(field: Field) -> str:
    return "worse than" if field.lower_is_better else "below"


def _range(pairs: Sequence[Comparison]) -> Span:
    """Return the range of differences and the largest p among the pairs."""
    sizes = sorted(pair.difference for pair in pairs)
    worst = max(pair.p_holm or 0.0 for pair in pairs)
    if len(pairs) == 1:
        return Span(text=f": {words.difference(pairs[0])} ({words.certainty(pairs[0])})")
    each = words.p_value(worst, "p_holm").replace("=", "≤")
    return Span(text=f": {words.signed(sizes[0])} to {words.signed(sizes[-1])} ({each} each)")


def _added(field: Field, ranked: Sequence[Contender], adapted: Sequence[System]) -> list[Span]:
    """Compare the winner with the best system that needs no training: its base, with or without examples, or a rule."""
    winner = ranked[0]
    base = winner.systems[0].base
    own_rule = base in stand_ins(field.result, field.task)  # a trivial rule answered in place of the base
    alone = own_rule and len(ranked) == 1  # its base is no contender
    if (level(field, ranked) and not alone) or winner.systems[0].adapter is None:
        return [*_no_better(field, ranked, adapted), *_beside_rule(field, winner)]
    rule = field.best_rule()
    if unbeaten_rule(field) is not None or (rule is not None and _ahead_of(field, rule, winner)):
        return _beside_rule(field, winner)
    untrained = [
        system
        for system in field.scores
        if system.adapter is None and (system.is_trivial or system.model == winner.systems[0].model)
    ]
    if own_rule:
        untrained = [system for system in untrained if system != base] or untrained
    reference = field.best(untrained)
    if reference is None:
        return []
    same = reference == base or (own_rule and field.level(reference, base))
    if same and len(adapted) == 1:
        return []  # the adapter's difference from its base is said already
    name = quoted(reference) if reference.is_trivial else words.system(reference)
    if same and own_rule:
        return [
            Span(text=f"; {winner.name} {_size(field, winner, reference, name)}, which answers for its base")
        ]
    return [Span(text=f"; {winner.name} {_size(field, winner, reference, name + _among(untrained))}")]


def _no_better(field: Field, ranked: Sequence[Contender], adapted: Sequence[System]) -> list[Span]:
    """Return that no adapter scores better than the best base; empty if all have the same score."""
    if level(field, ranked):
        return []
    best = ranked[0]
    better = any(field.behind(best.systems[0], system) for system in adapted)
    which = "recipe scores better on average" if better else "adapter scores better"
    return [Span(text=f"; no {which} than {best.name}, the best base")]


def _ahead_of(field: Field, rule: System, winner: Contender) -> bool:
    return field.better(field.scores[rule].value) > field.better(winner.value)


def _size(field: Field, winner: Contender, reference: System, name: str) -> str:
    """Return `adds +1.4 [+0.3, +2.5] (p_holm = 0.012) over NAME`, or how much lower the winner scores if lower is better."""
    pair = field.between(winner.systems[0], reference) if len(winner.systems) == 1 else None
    change, how = winner.value - field.scores[reference].value, "not tested"
    if pair is not None:
        how = tested(pair)
    if field.lower_is_better:
        return f"scores {ahead(field, pair) if pair else words.number(-change)} lower ({how}) than {name}"
    if pair is not None:
        return f"adds {words.difference(pair)} ({how}) over {name}"
    if winner.over_seeds is not None and reference == winner.systems[0].base:
        return f"adds {words.to_base(winner.over_seeds)} over {name}"
    return f"adds {words.signed(change)} ({how}) over {name}"


def _among(untrained: Sequence[System]) -> str:
    kinds = ["its base"] if any(not system.is_trivial and not system.shots for system in untrained) else []
    kinds += ["the base with examples"] if any(system.shots for system in untrained) else []
    kinds += ["the trivial rules"] if any(system.is_trivial for system in untrained) else []
    return f", the best of {words.listed(kinds)}" if len(untrained) > 1 else ""


def _beside_rule(field: Field, winner: Contender) -> list[Span]:
    """Return how the winner stands beside the best trivial rule; empty without rules, or if the lead has said it."""
    rule = field.best_rule()
    if rule is None or unbeaten_rule(field) is not None:
        return []
    name, score = quoted(rule), words.score(field.scores[rule])
    if _ahead_of(
        field, rule, winner
    ):  # a single seed of the winning recipe beats the rule, their mean does not
        return [Span(text="; "), Span(text=f"{name}, which needs no model, has {score}", strong=True)]
    return [Span(text=f"; {name}, which needs no model, has {score}")]
