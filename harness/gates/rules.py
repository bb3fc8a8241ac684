"""The rules that a gate may hold, by what they look at."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from harness import text as words
from harness.types import Gate, WorseSamples

BASE = "base"  # in `against`: the model without its adapter
SCORES = ("min_value",)  # one system's score
DROPS = ("max_drop", "max_relative_drop", "must_beat", "max_worse_samples")  # a pair, sample by sample
QUALITY = (*SCORES, *DROPS)
COSTS = {  # rule -> quantity of a cost, its unit, whether it moves with the hardware
    "min_tokens_per_second": ("generation speed", "tokens/s", True),
    "max_adapter_megabytes": ("adapter size", "MB", False),
    "max_train_seconds": ("training time", "s", True),
}
BY_TASK = ("min_tokens_per_second",)  # of the costs; the others are of an adapter, whatever the task
WEIGHTS = ("max_delta_ratio", "alpha_within", "max_intruder_dimensions")
# Of fewer samples a bootstrap interval is far too narrow: of two it is as wide as they are apart, half the time.
FEWEST = 10
ALL = (*QUALITY, *COSTS, *WEIGHTS)


def given(gate: Gate) -> Iterator[str]:
    """The rules that a gate holds; a limit of 0 is one, though it equals False."""
    return (rule for rule in ALL if (limit := getattr(gate, rule)) is not None and limit is not False)


def finite(gate: Gate, rule: str) -> bool:
    """Whether the limit is made of numbers: against NaN every comparison is false, and nothing is above infinity."""
    limit: Any = getattr(gate, rule)
    if isinstance(limit, WorseSamples):
        limit = (limit.drop, limit.samples, limit.percent)
    numbers = limit if isinstance(limit, tuple) else (limit,)
    return all(isfinite(number) for number in numbers if number is not None)


def title(gate: Gate, rule: str) -> str:
    """What is demanded, as short as it can be said: "max_drop 1"."""
    limit: Any = getattr(gate, rule)
    if rule == "must_beat":
        return rule
    if rule == "alpha_within":
        return f"{rule} {limit[0]:g} to {limit[1]:g}"
    if isinstance(limit, WorseSamples):
        most = f"{limit.percent:g} %" if limit.percent is not None else f"{limit.samples}"
        return f"{rule} {most} by more than {limit.drop:g}"
    return f"{rule} {limit:g}" + (" %" if rule == "max_relative_drop" else "")


def name(gate: Gate, rule: str) -> str:
    """What the gate is called; one that holds several rules is told by the rule too."""
    if gate.name is None:
        return title(gate, rule)
    return words.visible(gate.name) if len([*given(gate)]) == 1 else f"{words.visible(gate.name)}, {rule}"
