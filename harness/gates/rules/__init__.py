"""Rules of gates: each a file with a `RULE`. A gate names a rule by the name of its file: `max_drop: 1.0`.

A rule judges one system on one task, or a recipe over its seeds: by the score, by the difference from what it is compared
with, by a cost, or by the weights. Another package's rule is found by its entry point in the group `harness.rules`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from harness import plugins
from harness import text as words
from harness.errors import HarnessError, ResultError, SuiteError
from harness.types import Gate

if TYPE_CHECKING:  # numpy is loaded where a rule judges
    from harness.gates.decide import Finding

BASE = "base"  # in `against`: the model without its adapter
# With fewer samples a bootstrap interval is far too narrow: of two samples it is the span between them, which contains the
# truth half the time.
FEWEST = 10

At = Callable[..., str]  # keys below the limit -> where it stands: "FILE:LINE: gates[0].max_drop"
Reads = Literal["score", "difference", "cost", "weights"]

ANSWERS = ("load", "train", "generate")  # kinds of the steps that make answers
STEPS: Mapping[Reads, tuple[str, ...]] = {  # kinds of the steps that a rule needs
    "score": (*ANSWERS, "score"),
    "difference": (*ANSWERS, "score"),
    "cost": ("train",),
    "weights": ("train", "spectra"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuantity:
    """The cost that a rule judges."""

    name: str  # as costs of a result call it
    unit: str
    by_hardware: bool  # whether it depends on the hardware
    by_task: bool = False  # whether it is measured on each task; else once for an adapter


def _any(limit: Any, at: At) -> None:
    """Accept every limit."""


def _number(limit: Any) -> str:
    return f"{limit:g}"


def _nothing(limit: Any, finding: "Finding", n: int) -> str:
    return ""


def score_form(value: float | None) -> str:
    """Return a score or a difference of scores with two digits, since limits are often whole numbers."""
    return words.number(value, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that a gate can demand."""

    name: str  # as a gate writes it
    limit: Any  # the type of its limit: float, bool, tuple[float, float], or a record
    reads: Reads
    # Limit, measured -> finding. `measured` is a JudgedScores (gates/scores.py), a MeasuredCost (gates/costs.py) or a
    # JudgedWeights (gates/layers.py). Raises ResultError if that cannot be judged.
    judge: Callable[[Any, Any], "Finding"]
    check: Callable[[Any, At], None] = _any  # raises SuiteError for a limit that is out of range
    limit_text: Callable[[Any], str] = _number
    # Limit, finding, samples -> where the interval lies, as a sentence; "" if the finding's note says everything
    sentence: Callable[[Any, "Finding", int], str] = _nothing
    form: Callable[[float | None], str] = score_form  # writes the measured number
    cost: CostQuantity | None = None  # of a rule that reads a cost
    # Limit, score that is compared with -> tolerated drop in points, for the forecast how often an adapter with no true drop
    # passes; None: no forecast.
    tolerated_drop: Callable[[Any, float], float] | None = None
    # A claim is compared with the base unless its gate says otherwise, tested by permutation, and passes only if it is
    # significant after Holm over all claims of the file.
    claim: bool = False
    of_base: bool = False  # compared with the base unless its gate says otherwise, as a claim is
    of_recipes: bool = False  # whether it can judge a recipe's mean over seeds
    fewest: int = FEWEST  # samples, or clusters of samples, that it needs

    def finding(self, limit: Any, measured: Any) -> "Finding":
        """Return the finding on what was measured; ResultError if it is not finite: comparisons with NaN are false."""
        found = self.judge(limit, measured)
        numbers = (found.value, found.low, found.high, found.chance, found.error)
        if not all(isfinite(number) for number in numbers if number is not None):
            raise ResultError(f"what was measured is not finite: {found.value:g}")
        return found

    @property
    def of_samples(self) -> bool:
        """Return whether the rule judges rows of samples, and so has a metric and slices."""
        return self.reads in ("score", "difference")

    @property
    def compares(self) -> bool:
        """Return whether the rule compares a system with another."""
        return self.reads == "difference"

    @property
    def against_base(self) -> bool:
        """Return whether the rule compares with the base where its gate does not say with what."""
        return self.claim or self.of_base

    @property
    def by_task(self) -> bool:
        """Return whether the rule judges each task; else it judges an adapter once."""
        return self.of_samples or (self.cost is not None and self.cost.by_task)

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the kinds of the steps that the rule needs."""
        return ANSWERS if self.cost is not None and self.cost.by_task else STEPS[self.reads]


Demand = tuple[Rule, Any]  # a rule and the limit that a gate gives it


def find(name: str, where: str = "") -> Rule:
    """Return the rule of this name; UnknownName if there is none, SuiteError if its plug-in has no sound RULE."""
    module = plugins.find("rules", name, where)
    rule = getattr(module, "RULE", None)
    if problem := _problem(rule, name):
        place = f"{where}: " if where else ""
        raise SuiteError(f"{place}the plug-in {name!r} ({module.__name__}) is no rule of gates: {problem}")
    assert isinstance(rule, Rule)
    return rule


def _problem(rule: object, name: str) -> str:
    """Return what is wrong with a plug-in's RULE; "" if it is sound."""
    if not isinstance(rule, Rule):
        return "it has no `RULE = harness.gates.rules.Rule(…)`"
    if rule.name != name:
        return f"its RULE is named {rule.name!r}"
    if rule.name in {field.name for field in fields(Gate)}:
        return f"a gate has a key {name!r} already"
    if rule.reads not in STEPS:
        return f"RULE.reads is {rule.reads!r}; known: {', '.join(STEPS)}"
    if (rule.reads == "cost") != (rule.cost is not None):
        return "RULE.cost says which cost is read, where RULE.reads is 'cost' and only there"
    return ""


def names() -> tuple[str, ...]:
    """Return the names of all rules, other packages' included."""
    return plugins.names("rules")


def stated(gate: Gate) -> dict[str, object]:
    """Return the limits of the rules that a gate demands, by name; a limit of 0 counts, though it equals false."""
    return {name: limit for name, limit in gate.rules.items() if limit is not None and limit is not False}


def demands(gate: Gate, at: At) -> list[Demand]:
    """Return the rules that a gate demands, each with its limit; SuiteError for no rule, or a limit of another type."""
    from harness.files.validation import checked  # and pydantic

    found = []
    for name, value in stated(gate).items():
        rule = find(name, at(name))
        found.append((rule, checked(rule.limit, value, partial(at, name))))
    return found


def finite(limit: object) -> bool:
    """Return whether the numbers of a limit are finite: comparisons with NaN are false."""
    if is_dataclass(limit):
        return all(finite(getattr(limit, field.name)) for field in fields(limit))
    if isinstance(limit, tuple | list):
        return all(map(finite, limit))
    return not isinstance(limit, float) or isfinite(limit)


def title(rule: Rule, limit: object) -> str:
    """Return a rule with its limit, in short: "max_drop 1"."""
    return f"{rule.name} {rule.limit_text(limit)}".strip()


def name(gate: Gate, rule: Rule, limit: object) -> str:
    """Return the name of the gate; for a gate with several rules, followed by the rule's name."""
    if gate.name is None:
        return title(rule, limit)
    return words.visible(gate.name) if len(stated(gate)) == 1 else f"{words.visible(gate.name)}, {rule.name}"


def form(name: str) -> Callable[[float | None], str]:
    """Return the function that writes numbers of the rule of this name; that of scores if it is not installed."""
    try:
        return find(name).form
    except HarnessError:
        return score_form


def within(wanted: str, holds: Callable[[float], bool]) -> Callable[[float, At], None]:
    """Return a check that raises a SuiteError for a number that is out of range; `wanted` says the range."""

    def check(number: float, at: At) -> None:
        if not holds(number):
            raise SuiteError(f"{at()}: found the number {number}; give {wanted}")

    return check


not_negative = within("0 or more", lambda number: number >= 0)
positive = within("more than 0", lambda number: number > 0)
