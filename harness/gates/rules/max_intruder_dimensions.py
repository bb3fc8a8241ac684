"""No layer has more than so many intruder dimensions."""

from harness import text as words
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.layers import JudgedWeights
from harness.gates.rules import Rule, not_negative


def judge(limit: int, weights: JudgedWeights) -> Finding:
    """Return the finding on the layer with the most intruder dimensions."""
    count, where = weights.largest("intruder_dimensions")
    return decide.exact(count, count <= limit, note=where)


RULE = Rule(
    name="max_intruder_dimensions",
    limit=int,
    reads="weights",
    judge=judge,
    check=not_negative,
    form=words.plain,
)
