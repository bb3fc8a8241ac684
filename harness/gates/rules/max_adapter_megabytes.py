"""The adapter's file has at most so many megabytes."""

from harness import text as words
from harness.gates import decide
from harness.gates.costs import MeasuredCost
from harness.gates.decide import Finding
from harness.gates.rules import CostQuantity, Rule, positive


def judge(limit: float, cost: MeasuredCost) -> Finding:
    """Return the finding on the measured cost."""
    return decide.exact(cost.value, cost.value <= limit, note=str(cost))


RULE = Rule(
    name="max_adapter_megabytes",
    limit=float,
    reads="cost",
    cost=CostQuantity(name="adapter size", unit="MB", by_hardware=False),
    judge=judge,
    check=positive,
    form=words.megabytes,
)
