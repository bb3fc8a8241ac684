"""Share of answers equal to a reference, after trimming and case folding."""

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("exact",)


def metric() -> Metric:
    return Metric(
        names=NAMES,
        signature="exact|case:folded|space:trimmed|nrefs:var|refs:any|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=value,
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """(hits, samples)"""
    return float(_clean(generation.text) in map(_clean, sample.references)), 1.0


def value(total: Array) -> Array:
    return 100.0 * total[..., :1] / total[..., 1:]


def _clean(text: str) -> str:
    return text.strip().casefold()
