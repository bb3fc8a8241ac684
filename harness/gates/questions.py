"""Ask and answer questions about rows: which rows a check needs, and its rule's finding on them."""

from dataclasses import dataclass

from harness import stats
from harness import text as words
from harness.errors import ResultError
from harness.gates.answered import Answered
from harness.gates.checks import Check, never_judged
from harness.gates.evidence import GateInputs, RowsKey, unlike
from harness.gates.preconditions import too_empty
from harness.gates.rules import BASE, FEWEST
from harness.gates.scores import JudgedScores, PairedRows, Side
from harness.results.odd import too_many_empty
from harness.types import System


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsQuestion:
    """A check with the sides whose rows it needs."""

    check: Check
    own: tuple[Side, ...]  # who is judged: a single system, or a recipe's seeds
    other: tuple[Side, ...]  # what each is compared with; empty for a score alone
    against: str | None

    @property
    def key(self) -> RowsKey:
        """Return the task, metric plug-in and slice of the rows."""
        assert self.check.task is not None and self.check.plugin is not None
        return self.check.task, self.check.plugin, self.check.where

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return all sides whose rows are needed."""
        return (*self.own, *self.other)


def question(check: Check, inputs: GateInputs) -> RowsQuestion:
    """Return the question after announcing its rows; ResultError if the two sides cannot be compared."""
    assert check.task is not None
    against = _against(check, inputs)
    if problem := never_judged(check, against):
        raise ResultError(problem)
    asked = RowsQuestion(
        check=check,
        own=tuple(("", system) for system in check.systems),
        other=_others(check, against, inputs),
        against=against,
    )
    for origin, system in asked.sides:
        _refuse_empty(inputs, check.task, origin, system)
    inputs.expect(asked.key, asked.sides)
    if check.rule.claim and check.gate.recipe is None:
        inputs.claim(asked.key, (asked.other[0], asked.own[0]))
    return asked


def answer(asked: RowsQuestion, inputs: GateInputs) -> Answered:
    """Return the rule's finding; ResultError if a side has no rows, or too few."""
    check, rule = asked.check, asked.check.rule
    rows = inputs.paired_rows(asked.key, asked.sides)
    _refuse_few(rows, rule.fewest)
    assert check.metric is not None
    scores = JudgedScores(
        rows=rows,
        metric=check.metric,
        own=asked.own,
        other=asked.other,
        against=asked.against,
        of_recipe=check.gate.recipe is not None,
    )
    finding = rule.finding(check.limit, scores)
    chance, needs = None, None
    if rule.tolerated_drop is not None and not scores.of_recipe:
        margin, error = rule.tolerated_drop(check.limit, scores.before), finding.error or 0.0
        chance, needs = stats.pass_chance(margin, error), stats.samples_for_pass(margin, error, rows.n)
    return Answered(
        check=check,
        finding=finding,
        because=finding.note,
        n=rows.n,
        against=asked.against,
        pass_probability_if_equal=chance,
        samples_for_80_percent=needs,
    )


def _against(check: Check, inputs: GateInputs) -> str | None:
    """Return what a check compares with; None for a score alone. A claim compares with the base by default."""
    if not check.rule.compares:
        return None
    if check.rule.against_base and check.gate.against is None:
        return BASE
    return inputs.against(check.gate.against)


def _others(check: Check, against: str | None, inputs: GateInputs) -> tuple[Side, ...]:
    """Return what each judged system is compared with; ResultError if the prompts or samples differ."""
    if against is None:
        return ()
    if against == BASE:
        return tuple(("", system.base) for system in check.systems)
    assert check.task is not None
    for system in check.systems:
        if problem := unlike(inputs, against, inputs.task(check.task), system, check.metric):
            raise ResultError(problem)
    return tuple((against, system) for system in check.systems)


def _refuse_empty(inputs: GateInputs, task: str, origin: str, system: System) -> None:
    """Raise a ResultError if too many of a side's answers are empty; a baseline counts its own."""
    if not origin:
        inputs.preconditions.refuse_empty(task, system)
        return
    kept = inputs.baseline(origin).systems.get((task, system))
    if kept is not None and too_many_empty(kept.empty) and not inputs.task(task).allow_empty:
        raise ResultError(f"{origin}: {too_empty(str(system), kept.empty)}")


def _refuse_few(rows: PairedRows, fewest: int) -> None:
    """Raise a ResultError if there are fewer samples, or clusters of samples, than the rule needs."""
    if rows.units < fewest:
        what = "sample" if rows.clusters is None else "cluster"
        raise ResultError(
            f"{words.plural(rows.units, what)} cannot tell: an interval needs {FEWEST} at least, better 100"
        )
