"""The whole 95 % interval of the difference lies above zero, and p is significant after Holm over all claims of the file."""

from dataclasses import replace

from harness import text as words
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.rules import Rule
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


def judge(limit: bool, scores: JudgedScores) -> Finding:
    """Return the finding on the difference as a claim, with the p of no difference."""
    finding = decide.beaten(scores.difference.at_least(0.0), scores.n)
    if scores.p_if_equal is None:
        return finding
    p, test = scores.p_if_equal
    return replace(finding, chance=p, note=test)


RULE = Rule(
    name="must_beat",
    limit=bool,
    reads="difference",
    judge=judge,
    limit_text=lambda limit: "",
    sentence=lambda limit, finding, n: lies(finding, "no difference"),
    form=words.signed_2,
    claim=True,
    of_recipes=True,
)
