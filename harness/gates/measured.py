"""Rules on costs and on weights: measured, not sampled, so they pass or fail."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from math import isfinite
from statistics import fmean

from harness import text as words
from harness.errors import ResultError
from harness.gates import decide as verdicts
from harness.gates import rules
from harness.gates.answered import Answered
from harness.gates.checks import Check
from harness.gates.evidence import Evidence
from harness.gates.rules import BASE
from harness.results import Result
from harness.types import WeightRow
from harness.weights.summary import alpha, summarise


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
        lost = found.standing.lost_of(system)
        raise ResultError(
            f"the result holds no {quantity} of {system}: it was not measured in this run{lost}"
        )
    here = ", ".join(dict.fromkeys(one.hardware for one in costs))
    if by_hardware:
        agreed = check.gate.hardware
        if agreed is not None and not all(fnmatchcase(one.hardware, agreed) for one in costs):
            raise ResultError(f"measured on other hardware: {here}, agreed for {agreed}")
        against = found.against(check.gate.against)
        if agreed is None and against != BASE:
            there = found.baseline(against).environment.get("hardware")
            mine = found.result.manifest.hardware or None
            if mine is None or there is None:
                raise ResultError(
                    f"nobody knows on what hardware {'it' if mine is None else against} was measured"
                )
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
        _finite(((row, alpha(row)) for row in rows if row.part == part), "alpha")
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
    known = [one for one in rows if name in one.numbers]
    if not known:
        raise ResultError(f"no {name.replace('_', ' ')} is known of {system}: see `weights` in the suite")
    for row in rows:
        if row.part == known[0].part and name not in row.numbers and row.status.startswith("failed"):
            raise ResultError(
                f"no {name.replace('_', ' ')} is known of {words.visible(row.layer)}: {row.status}"
            )
    _finite(((row, row.numbers[name]) for row in known), name.replace("_", " "))
    worst = max(known, key=lambda one: one.numbers[name])
    assert limit is not None
    return Answered(
        check=check,
        finding=verdicts.exact(worst.numbers[name], worst.numbers[name] <= limit),
        because=_layer(worst),
    )


def _finite(numbers: Iterable[tuple[WeightRow, float | None]], what: str) -> None:
    """ResultError where one is no number: the largest, or the median, of some and NaN may be either."""
    for row, number in numbers:
        if number is not None and not isfinite(number):
            raise ResultError(f"the {what} of {words.visible(row.layer)} is not finite: {number}")


def _layer(row: WeightRow) -> str:
    return f"the largest is in {words.visible(row.layer)}"
