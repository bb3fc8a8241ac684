"""Mean log-likelihood of the chosen answer minus that of the rejected one, in nats, summed over tokens or per token.

`per: against` compares with the base: by how much more an adapter raises the chosen answer than the rejected one. A base's
own margin is 0 then. With more than two options it is the likeliest right option minus the likeliest wrong one. An answer
without options, as a trivial rule's or a refused one, prefers neither: its margin is 0.
"""

from typing import Literal

from harness.metrics import Array, Caution, Metric
from harness.tasks.likelihoods import best, has_no_options
from harness.types import Generation, Sample

NAMES = ("margin",)
TIED = Caution(
    said="pairs whose chosen and rejected answers are equally likely",
    holds=lambda sample, generation: (
        (found := best(sample, generation, "sum")) is not None and found[0] == found[1]
    ),
)
NO_OPTIONS = Caution(
    said="answers without likelihoods of options: their margin counts as 0", holds=has_no_options
)


def metric(*, per: Literal["sum", "token", "against"] = "sum") -> Metric:
    """Return the mean margin."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return the margin in nats, and the number of samples."""
        found = best(sample, generation, per)
        return 0.0 if found is None else found[0] - found[1], 1.0

    return Metric(
        names=NAMES,
        signature=f"margin|per:{per}|mean:samples|no-options:0|nrefs:var|refs:best|version:1",
        unit="raw",
        row=row,
        value=value,
        cautions=(TIED, NO_OPTIONS),
    )


def value(total: Array) -> Array:
    """Return the mean, in nats."""
    return total[..., :1] / total[..., 1:]
