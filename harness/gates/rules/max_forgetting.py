"""The 95 % interval of what was lost against the base lies at or below the limit, in the unit of the score.

It is meant for the task that a suite names under `forgetting`, whose score is in bits per byte.
"""

from harness import text as words
from harness.gates.decide import Finding
from harness.gates.rules import Rule, not_negative
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


def judge(limit: float, scores: JudgedScores) -> Finding:
    """Return the finding on the difference to the base, which is negative where something was lost."""
    return scores.difference.at_least(-limit)


RULE = Rule(
    name="max_forgetting",
    limit=float,
    reads="difference",
    judge=judge,
    check=not_negative,
    sentence=lambda limit, finding, n: lies(finding, words.minus(limit)),
    form=words.signed_2,
    of_base=True,
    of_recipes=True,
)
