"""The section on scales: what an adapter gains and loses with its update made smaller or larger, on validation samples."""

from dataclasses import dataclass

from harness import text as words
from harness.results import Result
from harness.types import Scale, Scaling, System

WHOLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledAdapter:
    """An adapter at several scales of its update."""

    scaling: Scaling
    system: System
    metric: str  # for people
    sentence: str

    def value(self, point: Scale) -> str:
        """Return the score at a scale with its interval."""
        return f"{words.number(point.value)} {words.interval(point.low, point.high)}"

    def lost(self, point: Scale) -> str:
        """Return what was lost at a scale with its interval; "" without a text."""
        if point.lost is None:
            return ""
        return (
            f"{words.signed_2(point.lost)} {words.interval(point.lost_low, point.lost_high, words.signed_2)}"
        )


def scaled(result: Result) -> tuple[ScaledAdapter, ...]:
    """Return each adapter that was asked at several scales."""
    return tuple(
        ScaledAdapter(
            scaling=one,
            system=System(model=one.model, adapter=one.adapter),
            metric=words.metric(one.score),
            sentence=sentence(one),
        )
        for one in result.scalings
    )


def sentence(one: Scaling) -> str:
    """Return which scale was best on validation, whether that is more than chance, and what was forgotten there."""
    who, metric = words.system(System(model=one.model, adapter=one.adapter)), words.metric(one.score)
    best = next(point for point in one.points if point.scale == one.best)
    whole = next(point for point in one.points if point.scale == WHOLE)
    count = words.plural(best.n, "validation sample")
    if one.best == WHOLE:
        said = f"{who}: on {count}, no scale has a better {metric} than the adapter itself"
    else:
        change = f"{words.signed(one.change)} {words.interval(one.change_low, one.change_high, words.signed)}"
        p = words.p_value(one.p, "p")
        sure = p if one.p < words.SIGNIFICANT else f"not significant, {p}"
        said = (
            f"{who}: on {count}, {metric} is best at {one.best:g} times the update: {change} against the adapter itself "
            f"({sure}; the best of {len(one.points)} scales looks better than it is)"
        )
    if best.lost is None or whole.lost is None:
        return f"{said}."
    text, there = words.visible(one.text), words.signed_2(best.lost)
    if one.best == WHOLE:
        return f"{said}; lost on {text}: {there}."
    return f"{said}; lost on {text}: {there} there, {words.signed_2(whole.lost)} by the adapter itself."
