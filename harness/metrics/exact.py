"""Share of answers equal to a reference, after trimming and, unless it is switched off, case folding."""

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("exact",)


def metric(*, ignore_case: bool = True) -> Metric:
    """Return the metric; with `ignore_case` "Paris" equals "PARIS"."""

    def clean(text: str) -> str:
        return text.strip().casefold() if ignore_case else text.strip()

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (hits, samples)."""
        return float(clean(generation.text) in map(clean, sample.references)), 1.0

    case = "folded" if ignore_case else "kept"
    return Metric(
        names=NAMES,
        signature=f"exact|case:{case}|space:trimmed|nrefs:var|refs:any|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=value,
    )


def value(total: Array) -> Array:
    """Return hits in percent of samples."""
    return 100.0 * total[..., :1] / total[..., 1:]
