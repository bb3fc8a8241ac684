"""The 95 % interval of the score lies at or above the limit."""

from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.rules import Rule
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


def judge(limit: float, scores: JudgedScores) -> Finding:
    """Return the finding on the score."""
    if scores.hits is not None:
        return decide.share_at_least(*scores.hits, limit)
    finding = scores.score.at_least(scores.sign * limit)
    return finding if scores.sign > 0 else decide.turned(finding)


RULE = Rule(
    name="min_value",
    limit=float,
    reads="score",
    judge=judge,
    sentence=lambda limit, finding, n: lies(finding, f"{limit:g}"),
    of_recipes=True,
)
