"""The mean of a score that another program gave each answer; the answer itself is not looked at.

`harness import` keeps such scores with the answers. `score` is the score's name in that program; it may be left out if every
answer has one such score.
"""

from typing import Literal

from harness.errors import SuiteError
from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("theirs",)


def metric(*, score: str | None = None, better: Literal["higher", "lower"] = "higher") -> Metric:
    """Return the metric of the score with this name."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return the score that the answer was given, and the number of samples."""
        given = generation.given
        name = next(iter(given)) if score is None and len(given) == 1 else score or ""
        if name not in given:
            known = ", ".join(sorted(given)) or "none"
            raise SuiteError(
                f"theirs: sample {sample.id!r}: no score named {name!r} came with its answer; known: {known}"
            )
        return float(given[name]), 1.0

    return Metric(
        names=NAMES,
        signature=f"theirs|score:{score or 'only'}|mean:samples|computed:elsewhere|version:1",
        unit="raw",
        better=better,
        row=row,
        value=value,
    )


def value(total: Array) -> Array:
    """Return the mean, on the scale of the program that gave the scores."""
    return total[..., :1] / total[..., 1:]
