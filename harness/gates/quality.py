"""Rules on scores and on differences, judged on rows of the same samples."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness import text as words
from harness.errors import ResultError
from harness.gates import decide as verdicts
from harness.gates import rules
from harness.gates.answered import Answered
from harness.gates.checks import Check, never
from harness.gates.decide import Finding
from harness.gates.evidence import Evidence, Panel, PanelKey, Side, unlike
from harness.gates.rules import BASE
from harness.gates.standing import too_empty
from harness.results.odd import MANY_EMPTY
from harness.types import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A check with the rows that it needs."""

    check: Check
    own: tuple[Side, ...]  # who is judged: one, or a recipe's seeds
    other: tuple[Side, ...]  # what each is compared with; none for a score alone
    against: str | None

    @property
    def key(self) -> PanelKey:
        assert self.check.task is not None and self.check.plugin is not None
        return self.check.task, self.check.plugin, self.check.where

    @property
    def sides(self) -> tuple[Side, ...]:
        return (*self.own, *self.other)


def put(check: Check, found: Evidence) -> Question:
    """The question, its rows announced; ResultError where the two sides are no pair."""
    assert check.task is not None
    against = _against(check, found)
    own: list[Side] = [("", system) for system in check.systems]
    other: list[Side] = []
    if problem := never(check, against):
        raise ResultError(problem)
    if against == BASE:
        other = [("", system.base) for system in check.systems]
    elif against is not None:
        for system in check.systems:
            if problem := unlike(found, against, found.task(check.task), system, check.metric):
                raise ResultError(problem)
        other = [(against, system) for system in check.systems]
    question = Question(check=check, own=tuple(own), other=tuple(other), against=against)
    for origin, system in question.sides:
        _hold_answers(found, check.task, origin, system)
    found.expect(question.key, question.sides)
    if check.rule == "must_beat" and check.gate.recipe is None:
        found.claim(question.key, (other[0], own[0]))
    return question


def answer(question: Question, found: Evidence) -> Answered:
    """What the rule comes to; ResultError where a side has no rows, or too few to tell."""
    check, panel = question.check, found.panel(question.key, question.sides)
    units = len(set(panel.clusters)) if panel.clusters is not None else panel.n
    counted = check.gate.max_worse_samples is not None and check.rule == "max_worse_samples"
    if units < 2 or (units < rules.FEWEST and not counted):
        what = "sample" if panel.clusters is None else "cluster"
        raise ResultError(
            f"{words.plural(units, what)} cannot tell: an interval needs {rules.FEWEST} at least, better 100"
        )
    if check.gate.recipe is not None:
        return _recipe(check, panel, [*question.own], [*question.other], question.against)
    return _found(check, panel, [*question.own], [*question.other], question.against)


def _hold_answers(found: Evidence, task: str, origin: str, system: System) -> None:
    """ResultError where a side's answers are too empty to be compared; a baseline counts its own."""
    if not origin:
        found.standing.hold_answers(task, system)
        return
    kept = found.baseline(origin).systems.get((task, system))
    if kept is not None and kept.empty.share > MANY_EMPTY and not found.task(task).allow_empty:
        raise ResultError(f"{origin}: {too_empty(str(system), kept.empty)}")


def _against(check: Check, found: Evidence) -> str | None:
    """What is compared with: to have beaten is to have beaten the base, unless the gate says otherwise."""
    if check.rule not in rules.DROPS:
        return None
    if check.rule == "must_beat" and check.gate.against is None:
        return BASE
    return found.against(check.gate.against)


def _recipe(check: Check, panel: Panel, own: list[Side], other: list[Side], against: str | None) -> Answered:
    """The rule on the mean over seeds, whose interval counts seeds and samples."""
    assert check.metric is not None and panel.metric.value is not None
    name, sign = panel.metric.names.index(check.metric), 1.0 if panel.metric.better == "higher" else -1.0
    rows = [panel.table.rows[:, panel.places[one]] for one in own]
    base = panel.table.rows[:, panel.places[other[0]]] if other else None
    over = stats.over_seeds(rows, base, panel.metric.value, seed=panel.seed, clusters=panel.clusters)
    estimate = over.difference if over.difference is not None else over.score
    assert estimate.low is not None and estimate.high is not None
    value, ends = sign * float(estimate.value[name]), (float(estimate.low[name]), float(estimate.high[name]))
    low, high = ends if sign > 0 else (-ends[1], -ends[0])
    gate, margin = check.gate, 0.0
    before = 0.0 if base is None else float(panel.metric.value(base.sum(axis=0))[name])
    if check.rule == "min_value":
        assert gate.min_value is not None
        margin = -sign * gate.min_value
    elif check.rule == "max_drop":
        assert gate.max_drop is not None
        margin = gate.max_drop
    elif check.rule == "max_relative_drop":
        assert gate.max_relative_drop is not None
        margin = gate.max_relative_drop / 100 * _positive(before, against)
    finding = verdicts.between(value, low, high, margin, panel.n)
    if check.rule == "max_relative_drop":
        finding = _in_percent(finding, before)
    if check.rule == "must_beat":
        finding = verdicts.beaten(finding, panel.n)
    return Answered(check=check, finding=finding, n=panel.n, against=against, because=over.method)


def _found(check: Check, panel: Panel, own: list[Side], other: list[Side], against: str | None) -> Answered:
    """The rule on its panel; numbers are turned so that larger is better."""
    assert check.metric is not None
    name, sign = panel.metric.names.index(check.metric), 1.0 if panel.metric.better == "higher" else -1.0
    scores = panel.table.scores()[:, name]
    mine, theirs = [panel.places[one] for one in own], [panel.places[one] for one in other]
    value = float(scores[mine].mean())
    drawn = _drawn(panel, mine, name)
    gate, n = check.gate, panel.n
    if check.rule == "min_value":
        assert gate.min_value is not None
        if panel.metric.interval == "wilson" and panel.clusters is None and len(mine) == 1:
            hits, total = panel.table.rows[:, mine[0]].sum(axis=0)
            finding = _least(int(hits), int(total), gate.min_value)
        else:
            finding = verdicts.above(sign * value, sign * drawn, -sign * gate.min_value, n)
            finding = _turned(finding) if sign < 0 else finding
        return Answered(check=check, finding=finding, n=n)
    before = float(scores[theirs].mean())
    difference, spread = sign * (value - before), sign * (drawn - _drawn(panel, theirs, name))
    if check.rule == "max_worse_samples":
        return Answered(
            check=check, finding=_worse(check, panel, mine[0], theirs[0], name, sign), n=n, against=against
        )
    ends = _changed(panel, mine[0], theirs[0], name, sign)
    if check.rule == "must_beat":
        finding = verdicts.beaten(_above(difference, spread, ends, 0.0, n), n)
        p, test = panel.chances
        finding = replace(finding, chance=float(p[other[0], own[0]][name]))
        return Answered(check=check, finding=finding, n=n, against=against, because=test)
    margin = gate.max_drop
    if check.rule == "max_relative_drop":
        assert gate.max_relative_drop is not None
        share = gate.max_relative_drop / 100
        margin = share * _positive(before, against)
        # The tolerated drop is itself uncertain, as the score is that it is a share of.
        spread, ends = spread + share * (_drawn(panel, theirs, name) - before), None
    assert margin is not None
    finding = _above(difference, spread, ends, margin, n)
    error = finding.error or 0.0
    return Answered(
        check=check,
        finding=_in_percent(finding, before) if check.rule == "max_relative_drop" else finding,
        n=n,
        against=against,
        innocent=stats.pass_chance(margin, error),
        innocent_needs=stats.samples_for_pass(margin, error, n),
    )


def _changed(panel: Panel, mine: int, theirs: int, name: int, sign: float) -> tuple[float, float] | None:
    """The interval of a difference of hits; None where it is to be resampled."""
    if panel.metric.interval != "wilson" or panel.clusters is not None:
        return None
    change = sign * (panel.alone[:, mine, name] - panel.alone[:, theirs, name])
    low, high, _ = stats.changed_interval(int((change > 0).sum()), int((change < 0).sum()), panel.n)
    return low, high


def _above(
    difference: float,
    spread: NDArray[np.float64],
    ends: tuple[float, float] | None,
    margin: float,
    n: int,
) -> Finding:
    if ends is None:
        return verdicts.above(difference, spread, margin, n)
    return verdicts.between(difference, *ends, margin, n)


def _drawn(panel: Panel, places: list[int], name: int) -> NDArray[np.float64]:
    """Resampled scores of one system."""
    (place,) = places
    return np.asarray(panel.drawn[place, name])


def _positive(before: float, against: str | None) -> float:
    if before <= 0:
        raise ResultError(f"{against} scores {before:g}: a share of it cannot be lost")
    return before


def _in_percent(one: Finding, before: float) -> Finding:
    """Differences as shares of what they are differences to."""
    assert one.low is not None and one.high is not None
    times = 100 / before
    return replace(one, value=times * one.value, low=times * one.low, high=times * one.high)


def _least(hits: int, n: int, least: float) -> Finding:
    """A share that is to be at least so much is one of misses that is to be at most the rest."""
    return _turned(verdicts.proportion(n - hits, n, 100 - least), 100.0)


def _turned(one: Finding, whole: float = 0.0) -> Finding:
    low = None if one.high is None else whole - one.high
    high = None if one.low is None else whole - one.low
    return replace(one, value=whole - one.value, low=low, high=high)


def _worse(check: Check, panel: Panel, mine: int, theirs: int, name: int, sign: float) -> Finding:
    worse = check.gate.max_worse_samples
    assert worse is not None
    changes = sign * (panel.alone[:, theirs, name] - panel.alone[:, mine, name])
    if without := int(np.sum(~np.isfinite(changes))):
        raise ResultError(f"{words.plural(without, 'sample')} without a {check.metric} of their own")
    falls = changes > worse.drop
    count = int(falls.sum())
    if worse.samples is not None:
        return verdicts.exact(count, count <= worse.samples)
    assert worse.percent is not None
    return verdicts.proportion(count, panel.n, worse.percent)
