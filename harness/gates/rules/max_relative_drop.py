"""The 95 % interval of the difference lies at or above minus the limit, in percent of what it is compared with."""

from dataclasses import replace

from harness import text as words
from harness.errors import ResultError
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.rules import Rule, within
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


def judge(limit: float, scores: JudgedScores) -> Finding:
    """Return the finding on the difference, in percent of what it is compared with."""
    before, share = scores.before, limit / 100
    if before <= 0:
        raise ResultError(f"{scores.against} scores {before:g}: a share of it cannot be lost")
    difference, drawn = scores.difference, scores.before_drawn
    if drawn is not None:
        assert difference.drawn is not None
        # The tolerated drop is a share of an uncertain score, and so is itself uncertain.
        difference = replace(difference, drawn=difference.drawn + share * (drawn - before), ends=None)
    return decide.times(difference.at_least(-share * before), 100 / before)


def form(value: float | None) -> str:
    """Return a difference in percent, with its sign."""
    return "" if value is None else f"{words.signed(value, 2)} %"


RULE = Rule(
    name="max_relative_drop",
    limit=float,
    reads="difference",
    judge=judge,
    check=within("from 0 to 100, in percent", lambda number: 0 <= number <= 100),
    limit_text=lambda limit: f"{limit:g} %",
    sentence=lambda limit, finding, n: lies(finding, f"{words.minus(limit)} %"),
    form=form,
    tolerated_drop=lambda limit, before: limit / 100 * max(0.0, before),
    of_recipes=True,
)
