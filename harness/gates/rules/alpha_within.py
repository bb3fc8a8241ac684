"""The median alpha over layers lies within the limits: of the weights merged with the adapter, or of the base's own."""

from harness.errors import ResultError, SuiteError
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.layers import JudgedWeights, refuse_not_finite
from harness.gates.rules import At, Rule
from harness.weights.summary import alpha, summarise


def judge(limit: tuple[float, float], weights: JudgedWeights) -> Finding:
    """Return the finding on the median alpha."""
    part = "merged" if weights.system.adapter else "W"
    refuse_not_finite(((row, alpha(row)) for row in weights.rows if row.part == part), "alpha")
    medians = [summary.median_alpha for summary in summarise(weights.rows) if summary.part == part]
    if not medians or medians[0] is None:
        raise ResultError(
            f"no alpha is known of {weights.system}: its weights were not looked at, or are too small"
        )
    low, high = limit
    note = f"the median over layers of the {'merged' if part == 'merged' else 'base'} weights"
    return decide.exact(medians[0], low <= medians[0] <= high, note=note)


def check(limit: tuple[float, float], at: At) -> None:
    """Raise SuiteError if the limits are not two rising positive numbers."""
    if not 0 < limit[0] < limit[1]:
        raise SuiteError(f"{at()}: give two numbers, the smaller first: [2, 6]")


RULE = Rule(
    name="alpha_within",
    limit=tuple[float, float],
    reads="weights",
    judge=judge,
    check=check,
    limit_text=lambda limit: f"{limit[0]:g} to {limit[1]:g}",
)
