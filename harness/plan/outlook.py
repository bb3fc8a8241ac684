"""What can be said of a suite's gates before it runs: the chance that an adapter which lost nothing passes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ResultError, SuiteError, UnknownName
from harness.gates import power, rules
from harness.gates.checks import LENGTH, Check, checks, never
from harness.gates.power import Outlook
from harness.results import AdapterFacts, Result, StepFacts, SuiteFacts, TaskFacts, read
from harness.results.baseline import Baseline, load
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.types import Plan, System


def outlook(plan: Plan, earlier: Path | None = None) -> Iterator[str]:
    """A line for each gate and task. `earlier` is a RESULT of the suite; None: where a run leaves it, if it has."""
    gates = [gate for gate in plan.suite.gates if any(rule in power.RULES for rule in rules.given(gate))]
    if not gates:
        return
    try:
        known = Known(*_earlier(plan, earlier))
    except ResultError as error:
        if earlier:
            raise
        yield str(error)
        known = Known(None, "")
    asked = {
        (spec.task, spec.system): spec.samples
        for spec in (step.spec for step in plan.steps)
        if isinstance(spec, ScoreAnswers)
    }
    found = [check for check in checks(gates, _expected(plan)) if check.rule in power.RULES]
    yield from power.lines([known.outlook(check, asked) for check in found])


def refuse(plan: Plan, columns: Mapping[str, Collection[str]] | None = None) -> None:
    """Raise a SuiteError for a gate that no run of the whole suite could judge.

    `columns` are those of each task's test samples, where they were read.
    """
    for check in checks(plan.suite.gates, _expected(plan)):
        problem = check.problem or _never(check, columns or {})
        if problem:
            place = plan.suite.gates.index(check.gate)
            name = rules.name(check.gate, check.rule)
            raise SuiteError(f"suite {plan.suite.name}: gates.{place}: {name} can never be judged: {problem}")


def _never(check: Check, columns: Mapping[str, Collection[str]]) -> str:
    if check.rule not in rules.QUALITY:
        return ""
    against = check.gate.against if check.rule in rules.DROPS else None  # None: `gate --baseline` may say
    if check.rule == "must_beat" and against is None:
        against = rules.BASE
    if problem := never(check, against):
        return problem
    known = columns.get(check.task or "")
    asked = [*check.gate.where, *([check.gate.by] if check.gate.by else [])]
    unknown = [column for column in asked if known is not None and column not in (*known, LENGTH)]
    return str(UnknownName("column", unknown[0], known or (), f"task {check.task}")) if unknown else ""


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier result and the baselines that gates name say."""

    result: Result | None
    source: str
    baselines: dict[str, Baseline | str] = field(default_factory=dict)  # read once; or what is wrong with it

    def outlook(self, check: Check, asked: Mapping[tuple[str, System], int]) -> Outlook:
        if check.problem:
            return Outlook(check=check, n=1, because=f"not known: {check.problem}")
        n = asked.get((check.task or "", check.systems[0]), 1)
        if check.system is None:
            return Outlook(check=check, n=n, because="not known of a mean over seeds")
        if check.gate.where or check.gate.by:  # how many samples a slice has is seen when they are read
            return Outlook(check=check, n=n, because="not known of a slice before a run")
        spread = power.of_result(check, self.result, self.source) if self.result else None
        if spread is None and check.gate.against not in (None, rules.BASE):
            assert check.gate.against is not None
            baseline = self._baseline(check.gate.against)
            if isinstance(baseline, str):
                return Outlook(check=check, n=n, because=f"not known: {baseline}")
            spread = power.of_baseline(check, baseline)
        return Outlook(check=check, n=n, spread=spread)

    def _baseline(self, file: str) -> Baseline | str:
        if file not in self.baselines:
            try:
                self.baselines[file] = load(Path(file))
            except ResultError as error:
                self.baselines[file] = str(error)
        return self.baselines[file]


def _earlier(plan: Plan, earlier: Path | None) -> tuple[Result | None, str]:
    """The result to learn from, and what to call it."""
    folder = earlier or Path("reports/out") / plan.suite.name
    if earlier is None and not (folder / "result.json").is_file():
        return None, ""
    return read(folder), str(folder)


def _expected(plan: Plan) -> Result:
    """The result that the plan will come to, as far as gates need to know it to find what they name."""
    suite = plan.suite
    adapters = next(step.spec.adapters for step in plan.steps if isinstance(step.spec, Report))
    return Result(
        folder=Path(),
        suite=SuiteFacts(
            name=suite.name,
            tasks=tuple(TaskFacts(name=t.name, primary=t.primary, metrics=t.metrics) for t in suite.tasks),
            models=(),
            adapters=tuple(
                AdapterFacts(name=one.name, model=one.model, recipe=one.recipe, trained_on=one.trained_on)
                for one in adapters
            ),
        ),
        scores=(),
        comparisons=(),
        steps=tuple(
            StepFacts(id=step.id, kind="score", state="done", task=step.spec.task, system=step.spec.system)
            for step in plan.steps
            if isinstance(step.spec, ScoreAnswers)
        ),
    )
