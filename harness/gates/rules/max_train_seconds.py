"""The adapter was trained in at most so many seconds."""

from harness import text as words
from harness.gates import decide
from harness.gates.costs import MeasuredCost
from harness.gates.decide import Finding
from harness.gates.rules import CostQuantity, Rule, positive


def judge(limit: float, cost: MeasuredCost) -> Finding:
    """Return the finding on the measured cost."""
    return decide.exact(cost.value, cost.value <= limit, note=str(cost))


RULE = Rule(
    name="max_train_seconds",
    limit=float,
    reads="cost",
    cost=CostQuantity(name="training time", unit="s", by_hardware=True),
    judge=judge,
    check=positive,
    form=words.seconds,
)
