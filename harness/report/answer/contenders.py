"""The contenders for the best score: bases, adapters, and recipes with enough seeds, which stand for their adapters."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness import text as words
from harness.report.answer.field import ENOUGH_SEEDS, Field
from harness.results import AdapterFacts
from harness.types import RecipeScore, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A competitor for the best score: a base, an adapter, or, from three seeds on, a recipe's adapters on one base."""

    name: str
    systems: tuple[System, ...]
    value: float  # mean over systems
    recipe: str | None = None  # set if the contender stands for a recipe
    over_seeds: RecipeScore | None = None  # the recipe's interval, if it was computed


def ranked(field: Field) -> list[Contender]:
    """Return the contenders, best first; the trivial rules are not among them."""
    return sorted(entries(field), key=lambda entry: field.better(entry.value), reverse=True)


def entries(field: Field) -> list[Contender]:
    """Return the contenders: bases, adapters, and recipes with three or more seeds in place of their adapters."""
    facts = field.facts
    groups: dict[tuple[object, ...], list[System]] = {}
    for system in field.models:
        groups.setdefault(_group(system, facts.get(system)), []).append(system)
    found = []
    for group in groups.values():
        adapter = facts.get(group[0])
        if len(group) >= ENOUGH_SEEDS and adapter:
            found.append(_recipe(field, adapter, group))
        else:
            found += [single(field, system) for system in group]
    return found


def single(field: Field, system: System) -> Contender:
    """Return the contender that is one system."""
    return Contender(name=words.system(system), systems=(system,), value=field.scores[system].value)


def level(field: Field, entries: Sequence[Contender]) -> bool:
    """Return whether all contenders have the same score as the first one: equal as it is shown, none significantly apart."""
    first = entries[0]
    return all(
        words.number(entry.value) == words.number(first.value)
        and all(field.level(one, other) for one in first.systems for other in entry.systems)
        for entry in entries[1:]
    )


def _group(system: System, facts: AdapterFacts | None) -> tuple[object, ...]:
    """Return what adapters that differ only in their seed have in common; the system itself for any other."""
    if facts is None or facts.recipe is None or facts.seed is None:
        return (system,)
    return system.model, facts.recipe, facts.trained_on


def _recipe(field: Field, adapter: AdapterFacts, systems: Sequence[System]) -> Contender:
    adapters = field.result.suite.adapters
    trained_on = {other.trained_on for other in adapters if other.recipe == adapter.recipe}
    name = f"{adapter.model} with recipe {adapter.recipe}"
    name += f" trained on {adapter.trained_on}" if len(trained_on) > 1 else ""
    return Contender(
        name=words.visible(name),
        systems=tuple(systems),
        value=fmean(field.scores[system].value for system in systems),
        recipe=adapter.recipe,
        over_seeds=field.over_seeds(adapter),
    )
