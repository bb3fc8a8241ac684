"""The share of answers in which the task's judge finds what it looks for, as judged: its errors are not counted.

The judge is a model that the task names under `judge`. Half a find is a pair of answers that it could not tell apart. The
report corrects the share for the judge's errors where the task has labelled answers (`calibrate`).
"""

from harness.errors import SuiteError
from harness.metrics import Array, Metric
from harness.types import JUDGED, Generation, Sample

NAMES = ("judged",)
FINDS = "finds"  # in plural; a task's own judge says it in its own words


def metric() -> Metric:
    """Return the metric; the step `judge` has written beside each answer what the judge found."""
    return Metric(
        names=NAMES,
        signature="judge|errors:counted elsewhere|ties:half|version:1",
        unit="%",
        row=row,
        value=value,
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return (what was found, samples)."""
    if JUDGED not in generation.given:
        raise SuiteError(
            f"judge: sample {sample.id!r}: no judge has seen its answer; run the suite whose task has a `judge`"
        )
    return float(generation.given[JUDGED]), 1.0


def value(total: Array) -> Array:
    """Return finds in percent of samples."""
    return 100.0 * total[..., :1] / total[..., 1:]
