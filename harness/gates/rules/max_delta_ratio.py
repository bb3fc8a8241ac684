"""No layer's update has a Frobenius norm of more than so many times that of its weights."""

from harness import text as words
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.layers import JudgedWeights
from harness.gates.rules import Rule, positive


def judge(limit: float, weights: JudgedWeights) -> Finding:
    """Return the finding on the layer with the largest ratio."""
    ratio, where = weights.largest("delta_ratio")
    return decide.exact(ratio, ratio <= limit, note=where)


def form(value: float | None) -> str:
    """Return a ratio with three digits."""
    return words.number(value, 3)


RULE = Rule(name="max_delta_ratio", limit=float, reads="weights", judge=judge, check=positive, form=form)
