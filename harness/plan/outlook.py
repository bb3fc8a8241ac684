"""Forecast a suite's gates before it runs: the chance that an adapter passes whose scores did not drop."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ResultError, SuiteError, UnknownName
from harness.files.validation import At
from harness.files.yaml import Keys, dotted
from harness.gates import forecast, rules
from harness.gates.checks import LENGTH, Check, checks, never_judged
from harness.gates.forecast import Forecast
from harness.plan.expected_result import expected
from harness.results import Result, read
from harness.results.baseline import Baseline, load
from harness.run.steps.score import ScoreAnswers
from harness.types import Gate, Plan, System


def outlook(plan: Plan, earlier: Path | None = None) -> Iterator[str]:
    """Yield a line of forecast for each gate and task.

    `earlier` is a RESULT of the suite; None: the folder where a run publishes by default, if there is a RESULT.
    """
    gates = [gate for gate in plan.suite.gates if _forecast(gate)]
    if not gates:
        return
    try:
        known = EarlierResults(*_earlier(plan, earlier))
    except ResultError as error:
        if earlier:
            raise
        yield str(error)
        known = EarlierResults(None, "")
    asked = {
        (spec.task, spec.system): spec.samples
        for spec in (step.spec for step in plan.steps)
        if isinstance(spec, ScoreAnswers)
    }
    found = [check for check in checks(gates, expected(plan)) if check.rule.tolerated_drop]
    yield from forecast.lines([known.forecast(check, asked) for check in found])


def _forecast(gate: Gate) -> bool:
    """Return whether the gate has a rule whose chances can be forecast."""
    return any(rules.find(name).tolerated_drop for name in rules.stated(gate))


def refuse(plan: Plan, columns: Mapping[str, Collection[str]] | None = None, at: At | None = None) -> None:
    """Raise SuiteError for a gate that no run of the whole suite could judge.

    `columns` are the columns of each task's test samples, if these were read; `at` gives the place of a key of the suite.
    """
    for check in checks(plan.suite.gates, expected(plan)):
        problem = check.problem or _never_judged(check, columns or {})
        if problem:
            place = plan.suite.gates.index(check.gate)
            name = rules.name(check.gate, check.rule, check.limit)
            keys: Keys = ("gates", place, check.rule.name)
            where = at(*keys) if at else f"suite {plan.suite.name}: {dotted(keys)}"
            raise SuiteError(f"{where}: {name} can never be judged: {problem}")


def _never_judged(check: Check, columns: Mapping[str, Collection[str]]) -> str:
    if not check.rule.of_samples:
        return ""
    against = check.gate.against if check.rule.compares else None  # None: `gate --baseline` may say
    if check.rule.against_base and against is None:
        against = rules.BASE
    if problem := never_judged(check, against):
        return problem
    known = columns.get(check.task or "")
    asked = [*check.gate.where, *([check.gate.by] if check.gate.by else [])]
    unknown = [column for column in asked if known is not None and column not in (*known, LENGTH)]
    return str(UnknownName("column", unknown[0], known or (), f"task {check.task}")) if unknown else ""


@dataclass(frozen=True, slots=True)
class EarlierResults:
    """An earlier result, and the baselines that gates name: what the spread of scores is forecast from."""

    result: Result | None
    source: str
    baselines: dict[str, Baseline | str] = field(
        default_factory=dict
    )  # by file, each read once; a text says why it cannot be read

    def forecast(self, check: Check, asked: Mapping[tuple[str, System], int]) -> Forecast:
        """Return the forecast of one check; `asked` has the number of samples of each task and system."""
        if check.problem:
            return Forecast(check=check, n=1, because=f"not known: {check.problem}")
        n = asked.get((check.task or "", check.systems[0]), 1)
        if check.system is None:
            return Forecast(check=check, n=n, because="not known of a mean over seeds")
        if check.gate.where or check.gate.by:  # the size of a slice is known when the samples are read
            return Forecast(check=check, n=n, because="not known of a slice before a run")
        spread = forecast.of_result(check, self.result, self.source) if self.result else None
        if spread is None and check.gate.against not in (None, rules.BASE):
            assert check.gate.against is not None
            baseline = self._baseline(check.gate.against)
            if isinstance(baseline, str):
                return Forecast(check=check, n=n, because=f"not known: {baseline}")
            spread = forecast.of_baseline(check, baseline)
        return Forecast(check=check, n=n, spread=spread)

    def _baseline(self, file: str) -> Baseline | str:
        if file not in self.baselines:
            try:
                self.baselines[file] = load(Path(file))
            except ResultError as error:
                self.baselines[file] = str(error)
        return self.baselines[file]


def _earlier(plan: Plan, earlier: Path | None) -> tuple[Result | None, str]:
    """Return the result that the forecast is made from, and its name; None if there is no such result."""
    folder = earlier or Path("reports/out") / plan.suite.name
    if earlier is None and not (folder / "result.json").is_file():
        return None, ""
    return read(folder), str(folder)
