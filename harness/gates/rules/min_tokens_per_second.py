"""The model generates at least so many tokens per second on the task."""

from harness import text as words
from harness.gates import decide
from harness.gates.costs import MeasuredCost
from harness.gates.decide import Finding
from harness.gates.rules import CostQuantity, Rule, positive


def judge(limit: float, cost: MeasuredCost) -> Finding:
    """Return the finding on the measured cost."""
    return decide.exact(cost.value, cost.value >= limit, note=str(cost))


def form(value: float | None) -> str:
    """Return a speed in tokens per second, for people."""
    return "" if value is None else f"{words.count(value)} tokens/s"


RULE = Rule(
    name="min_tokens_per_second",
    limit=float,
    reads="cost",
    cost=CostQuantity(name="generation speed", unit="tokens/s", by_hardware=True, by_task=True),
    judge=judge,
    check=positive,
    form=form,
)
