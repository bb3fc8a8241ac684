"""Read a suite's gates from plain data, and check them."""

from dataclasses import fields, replace
from functools import partial

from harness.errors import SuiteError, UnknownName
from harness.files.json_lines import to_json
from harness.files.validation import At, checked
from harness.gates import rules
from harness.gates.rules import Demand
from harness.types import Gate

_KEYS = {field.name for field in fields(Gate)} - {"rules"}


def gate(data: object, at: At) -> Gate:
    """Return the gate that a mapping describes by its keys and rules; raise SuiteError with every mistake."""
    if not isinstance(data, dict):
        return checked(Gate, data, at)
    mistakes: list[str] = []
    found, demanded = Gate(), {}
    try:
        found = checked(Gate, {key: value for key, value in data.items() if key in _KEYS}, at)
    except SuiteError as error:
        mistakes.append(str(error))
    for name in (name for name in data if name not in _KEYS):
        try:
            if name not in rules.names():
                raise UnknownName("key", name, (*_KEYS, *rules.names()), at(name))
            if data[name] is not None:
                limit = checked(rules.find(name, at(name)).limit, data[name], partial(at, name))
                demanded[name] = to_json(limit)
        except SuiteError as error:
            mistakes.append(str(error))
    if mistakes:
        raise SuiteError("\n".join(mistakes))
    return replace(found, rules=demanded)


def check_gate(gate: Gate, at: At) -> None:
    """Raise SuiteError for a gate without a rule, with a limit out of range, or with keys that do not fit its rules."""
    demands = rules.demands(gate, at)
    if not demands:
        raise SuiteError(f"{at()}: a gate without a rule; give one of {', '.join(rules.names())}")
    for rule, limit in demands:
        if not rules.finite(limit):
            raise SuiteError(f"{at(rule.name)}: found a number that is not finite; give one that is")
        rule.check(limit, partial(at, rule.name))
    _check_keys(gate, demands, at)
    if gate.recipe is not None:
        _check_recipe(gate, demands, at)


def _check_keys(gate: Gate, demands: list[Demand], at: At) -> None:
    first = demands[0][0].name
    if not any(rule.of_samples for rule, _ in demands):
        for key in ("metric", "where", "by"):
            if getattr(gate, key):
                raise SuiteError(f"{at(key)}: {first} has no samples; leave {key} out")
    if gate.against is not None and not any(rule.compares or rule.cost for rule, _ in demands):
        raise SuiteError(f"{at('against')}: {first} compares with nothing; leave it out")
    if gate.where and gate.by:
        raise SuiteError(f"{at('by')}: where and by together; give one of them")


def _check_recipe(gate: Gate, demands: list[Demand], at: At) -> None:
    """Raise SuiteError for rules that cannot judge a mean over seeds, which has no samples, costs and weights."""
    if gate.adapter != "*":
        raise SuiteError(f"{at('recipe')}: recipe and adapter together; give one of them")
    for rule, _ in demands:
        if not rule.of_recipes:
            raise SuiteError(
                f"{at(rule.name)}: {rule.name} is of an adapter, not of a recipe; name adapters by a pattern"
            )
