"""Mean squared error of numbers, on their own scale squared. An answer that is no number counts as 0."""

from harness.metrics import Array, Caution, Metric
from harness.tasks.numbers import is_no_number, number_row, problem
from harness.types import Generation, Sample

__all__ = ["NAMES", "metric", "problem"]

NAMES = ("mse",)
NO_NUMBER = Caution(said="answers that are no number: each counts as 0", holds=is_no_number)


def metric() -> Metric:
    """Return the mean squared error."""
    return Metric(
        names=NAMES,
        signature="mse|mean:samples|no-number:0|nrefs:var|refs:mean|version:1",
        unit="raw",
        better="lower",
        row=row,
        value=value,
        cautions=(NO_NUMBER,),
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return the squared error and the number of samples."""
    wanted, given, _ = number_row(sample, generation)
    return (given - wanted) ** 2, 1.0


def value(total: Array) -> Array:
    """Return the mean."""
    return total[..., :1] / total[..., 1:]
