"""The 95 % interval of the difference lies at or above minus the limit, in points."""

from harness import text as words
from harness.gates.decide import Finding
from harness.gates.rules import Rule, not_negative
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


def judge(limit: float, scores: JudgedScores) -> Finding:
    """Return the finding on the difference."""
    return scores.difference.at_least(-limit)


RULE = Rule(
    name="max_drop",
    limit=float,
    reads="difference",
    judge=judge,
    check=not_negative,
    sentence=lambda limit, finding, n: lies(finding, words.minus(limit)),
    form=words.signed_2,
    tolerated_drop=lambda limit, before: limit,
    of_recipes=True,
)
