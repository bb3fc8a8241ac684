"""Share of answers whose result is right, for answers that give their steps before it.

The result is what stands after "####" or "the answer is"; without these, the last number or, for texts, the last line.
With a `pattern`, a regular expression, it is what the pattern's first group finds, or else the whole pattern. The result of
the reference is found in the same way; a reference in which nothing is found is the result itself. Numbers are compared as
numbers (1,200 equals 1200.0), texts without blanks and a full stop at their ends. An answer without a result is a miss.
"""

import re

from harness.errors import DataError, SuiteError
from harness.metrics import Caution, Metric, exact
from harness.tasks.extracts import Extraction, Sort, Which, as_decimal
from harness.types import Generation, Sample

NAMES = ("extract",)


def metric(*, pattern: str | None = None, which: Which = "last", kind: Sort = "number") -> Metric:
    """Return the share of right results; `which` says which of several finds counts."""
    if pattern is not None:
        _check(pattern)

    extraction = Extraction(pattern=pattern, which=which, kind=kind)
    result = extraction.result

    def wanted(sample: Sample) -> list[str]:
        whose = f"the reference of sample {sample.id!r}"
        results = [(result(text, whose), text) for text in sample.references]
        return [_checked(sample, text if found is None else found, kind) for found, text in results]

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (hits, samples)."""
        given = result(generation.text, f"the answer to sample {sample.id!r}")
        right = [_same(given, each, extraction) for each in wanted(sample) if given is not None]
        return float(any(right)), 1.0

    def is_missing(sample: Sample, generation: Generation) -> bool:
        return result(generation.text, f"the answer to sample {sample.id!r}") is None

    said = "usual" if pattern is None else repr(pattern).replace("|", "\\x7c")
    return Metric(
        names=NAMES,
        signature=f"extract|kind:{kind}|which:{which}|pattern:{said}|nrefs:var|refs:any|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=exact.value,
        cautions=(
            Caution(said=f"answers in which no {kind} was found: they count as misses", holds=is_missing),
        ),
    )


def _check(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SuiteError(
            f"extract: pattern: found {pattern!r}, which is no regular expression: {error}"
        ) from error


def _checked(sample: Sample, wanted: str, kind: Sort) -> str:
    if kind == "number" and as_decimal(wanted) is None:
        raise DataError(
            f"sample {sample.id!r}: no number in the reference {wanted[:60]!r}; correct it, or say `kind: text`"
        )
    return wanted


def _same(given: str, wanted: str, extraction: Extraction) -> bool:
    compared = extraction.compared(given)
    return compared is not None and compared == extraction.compared(wanted)
