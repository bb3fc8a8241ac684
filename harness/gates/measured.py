"""Rules on costs and on weights: measured, not sampled, so they pass or fail."""

from fnmatch import fnmatchcase
from statistics import fmean

from harness.errors import ResultError
from harness.gates import rules, verdicts
from harness.gates.answered import Answered
from harness.gates.checks import Check
from harness.gates.sides import BASE, Evidence
from harness.report import words
from harness.result import Result
from harness.types import WeightRow
from harness.weights.summary import summarise


def cost(check: Check, found: Evidence) -> Answered:
    quantity, unit, by_hardware = rules.COSTS[check.rule]
    (system,) = check.systems
    costs = [
        one
        for one in found.result.costs
        if one.system == system
        and one.quantity == quantity
        and (check.task is None or one.task == check.task)
    ]
    if not costs:
        raise ResultError(f"the result holds no {quantity} of {system}: it was not measured in this run")
    here = costs[0].hardware
    if by_hardware:
        agreed = check.gate.hardware
        if agreed is not None and not fnmatchcase(here, agreed):
            raise ResultError(f"measured on other hardware: {here}, agreed for {agreed}")
        against = found.against(check.gate.against)
        if agreed is None and against != BASE:
            there = found.baseline(against).environment.get("hardware")
            mine = found.result.manifest.get("hardware")
            if there != mine:
                raise ResultError(f"measured on other hardware than {against}: {mine}, there {there}")
    value, limit = fmean(one.value for one in costs), getattr(check.gate, check.rule)
    holds = value >= limit if check.rule.startswith("min_") else value <= limit
    return Answered(
        check=check, finding=verdicts.exact(value, holds), because=f"{value:,.4g} {unit} on {here}"
    )


def weights(check: Check, result: Result) -> Answered:
    (system,) = check.systems
    rows = [one for one in result.weights if (one.model, one.adapter) == (system.model, system.adapter)]
    gate = check.gate
    if check.rule == "alpha_within":
        assert gate.alpha_within is not None
        part = "merged" if system.adapter else "W"
        medians = [one.median_alpha for one in summarise(rows) if one.part == part]
        if not medians or medians[0] is None:
            raise ResultError(
                f"no alpha is known of {system}: its weights were not looked at, or are too small"
            )
        low, high = gate.alpha_within
        return Answered(check=check, finding=verdicts.exact(medians[0], low <= medians[0] <= high))
    name, limit = (
        ("delta_ratio", gate.max_delta_ratio)
        if check.rule == "max_delta_ratio"
        else ("intruder_dimensions", gate.max_intruder_dimensions)
    )
    worst = max((one for one in rows if name in one.numbers), key=lambda one: one.numbers[name], default=None)
    if worst is None:
        raise ResultError(f"no {name.replace('_', ' ')} is known of {system}: see `weights` in the suite")
    assert limit is not None
    return Answered(
        check=check,
        finding=verdicts.exact(worst.numbers[name], worst.numbers[name] <= limit),
        because=_layer(worst),
    )


def _layer(row: WeightRow) -> str:
    return f"the largest is in {words.visible(row.layer)}"
