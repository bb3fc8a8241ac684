"""What can be said of a suite's gates before it runs: the chance that an adapter which lost nothing passes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import ResultError
from harness.gates import power, rules
from harness.gates.checks import Check, checks
from harness.gates.power import Outlook
from harness.result import AdapterFacts, Result, StepFacts, SuiteFacts, TaskFacts, read
from harness.result.baseline import Baseline, load
from harness.steps.report import Report
from harness.steps.score import ScoreAnswers
from harness.types import Gate, Plan


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
