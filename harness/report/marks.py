"""The marks beside systems in a score table: the best model, and the models that are not significantly behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness import text as words
from harness.report.answer import Field
from harness.types import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a score table says beside a system's name."""

    said: str = ""  # "best", "best model, behind copy of the input", "tie"
    best: bool = False  # no system has a better score, trivial rules included
    tied: bool = False  # tested against the best model, and not significantly behind it


NONE = Mark()


def marks(field: Field) -> Mapping[System, Mark]:
    """Return the marked systems; none if there is only one model, or all models have the same score."""
    best = field.best(field.models)
    if best is None:
        return {}
    first = [system for system in field.models if system == best or field.level(best, system)]
    if len(first) == len(field.models):
        return {}
    return _leading(field, best, first) | _tied(field, best, first)


def _leading(field: Field, best: System, first: list[System]) -> dict[System, Mark]:
    joint = "joint best" if len(first) > 1 else "best"
    rule = field.best_rule()
    if rule is None or field.behind(rule, best):
        return dict.fromkeys(first, Mark(said=joint, best=True))
    where = "level with" if field.level(best, rule) else "behind"
    return dict.fromkeys(first, Mark(said=f"{joint} model, {where} {words.system(rule)}"))


def _tied(field: Field, best: System, first: list[System]) -> dict[System, Mark]:
    rule = field.best_rule()
    said = "tie" if rule is None or field.behind(rule, best) else "tie with the best model"
    found = {}
    for system in field.models:
        pair = field.between(best, system)
        if (
            system not in first
            and pair is not None
            and pair.p_holm is not None
            and not words.significant(pair)
        ):
            found[system] = Mark(said=said, tied=True)
    return found
