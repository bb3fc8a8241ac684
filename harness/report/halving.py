"""The section on sweeps with halving: every combination that was tried, and at which rung validation dropped it."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness import text as words
from harness.results import Halved, Result
from harness.types import Combination, System


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvingLine:
    """One combination as a page shows it."""

    settings: str
    steps: int
    loss: float | None  # of the validation samples, the lowest
    score: float | None  # of the score that chooses, where a score does
    fate: str  # kept, or why it was dropped
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvingTable:
    """The combinations of one adapter."""

    system: System
    sentence: str
    chosen_by: str  # the score that compared them, for people; empty: the validation loss
    lines: tuple[HalvingLine, ...]  # those that came furthest first
    halved: Halved


def tables(result: Result) -> tuple[HalvingTable, ...]:
    """Return the tables of all adapters that a sweep with halving left."""
    return tuple(
        HalvingTable(
            system=System(model=halved.model, adapter=halved.adapter),
            sentence=sentence(halved),
            chosen_by=words.metric(halved.chosen_by) if halved.chosen_by else "",
            lines=tuple(_lines(halved)),
            halved=halved,
        )
        for halved in result.halvings
    )


def sentence(halved: Halved) -> str:
    """Return `12 combinations tried, 11 dropped on validation alone; kept: rank 16, learning rate 0.003`."""
    count = len(halved.combinations)
    return (
        f"{words.plural(count, 'combination')} tried, {count - 1:,} dropped on validation alone; kept: "
        f"{settings(halved.winner) if halved.winner else 'not known'}"
    )


def settings(combination: Combination) -> str:
    """Return a combination's settings in words: `rank 16, learning rate 0.003`."""
    return ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in combination.settings.items())


def _lines(halved: Halved) -> Iterator[HalvingLine]:
    furthest = sorted(
        halved.combinations, key=lambda one: (not one.kept, one.place is None, -one.rung, one.place or 0)
    )
    for one in furthest:
        yield HalvingLine(
            settings=settings(one),
            steps=one.steps,
            loss=one.validation_loss,
            score=one.validation_score,
            fate=_fate(one, halved),
            kept=one.kept,
        )


def _fate(one: Combination, halved: Halved) -> str:
    if one.kept:
        return f"kept: best of {one.compared}" if one.compared > 1 else "kept: the last that was left"
    if one.diverged:
        return f"dropped: diverged, {one.diverged}"
    by = words.metric(halved.chosen_by) if halved.chosen_by else "validation loss"
    return f"dropped: place {one.place} of {one.compared} at step {one.steps:,} by {by}"
