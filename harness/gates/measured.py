"""Gather costs and weights for the rules that judge them; they are measured, not sampled, so they pass or fail."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from statistics import fmean

from harness.errors import ResultError
from harness.gates.answered import Answered
from harness.gates.checks import Check
from harness.gates.costs import MeasuredCost
from harness.gates.evidence import GateInputs
from harness.gates.layers import JudgedWeights
from harness.gates.rules import BASE
from harness.results import Result
from harness.types import Cost


def cost(check: Check, inputs: GateInputs) -> Answered:
    """Return the finding on a cost; ResultError if it was not measured, or on other hardware than agreed."""
    quantity = check.rule.cost
    assert quantity is not None
    (system,) = check.systems
    costs = [
        cost
        for cost in inputs.result.costs
        if cost.system == system
        and cost.quantity == quantity.name
        and (check.task is None or cost.task == check.task)
    ]
    if not costs:
        lost = inputs.preconditions.lost_of(system)
        raise ResultError(
            f"the result holds no {quantity.name} of {system}: it was not measured in this run{lost}"
        )
    here = ", ".join(dict.fromkeys(cost.hardware for cost in costs))
    if quantity.by_hardware:
        _refuse_other_hardware(check, inputs, costs, here)
    measured = MeasuredCost(value=fmean(cost.value for cost in costs), unit=quantity.unit, hardware=here)
    finding = check.rule.finding(check.limit, measured)
    return Answered(check=check, finding=finding, because=finding.note)


def _refuse_other_hardware(check: Check, inputs: GateInputs, costs: Sequence[Cost], here: str) -> None:
    agreed, against = check.gate.hardware, inputs.against(check.gate.against)
    if agreed is not None:
        if not all(fnmatchcase(cost.hardware, agreed) for cost in costs):
            raise ResultError(f"measured on other hardware: {here}, agreed for {agreed}")
        return
    if against == BASE:
        return
    there = inputs.baseline(against).environment.get("hardware")
    mine = inputs.result.manifest.hardware or None
    if mine is None or there is None:
        unknown = "it" if mine is None else against
        raise ResultError(f"it is not recorded on what hardware {unknown} was measured")
    if there != mine:
        raise ResultError(f"measured on other hardware than {against}: {mine}, there {there}")


def weights(check: Check, result: Result) -> Answered:
    """Return the finding on a system's weights; ResultError if they were not analysed."""
    (system,) = check.systems
    rows = [row for row in result.weights if (row.model, row.adapter) == (system.model, system.adapter)]
    finding = check.rule.finding(check.limit, JudgedWeights(system=system, rows=rows))
    return Answered(check=check, finding=finding, because=finding.note)
