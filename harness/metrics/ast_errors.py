"""What is wrong with answers that are calls of an API: unknown functions, and wrong arguments of the right function.

`hallucinated` is the share of answers that call a function which neither a reference of the sample nor its column
`functions` names: a JSON list, or names separated by commas, of the functions that are documented. `argument_errors` is the
share that call the reference's function with other arguments. An answer without a call is in neither; `ast` counts it.
"""

from harness.metrics import Array, Caution, Metric
from harness.metrics.ast import NO_CALL, wanted_calls
from harness.tasks.calls import functions, last_call
from harness.types import Generation, Sample

NAMES = ("hallucinated", "argument_errors")
COLUMN = "functions"
UNDOCUMENTED = Caution(
    said=f"samples without a column {COLUMN!r}: a call of any function but the reference's counts as hallucinated there",
    holds=lambda sample, generation: COLUMN not in sample.metadata,
)


def metric() -> Metric:
    """Return the shares of both kinds of errors."""
    return Metric(
        names=NAMES,
        signature=f"ast_errors|documented:{COLUMN}|call:last|nrefs:var|refs:any|version:1",
        unit="%",
        better="lower",
        row=row,
        value=value,
        cautions=(NO_CALL, UNDOCUMENTED),
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return (unknown functions, wrong arguments, samples)."""
    wanted, given = wanted_calls(sample), last_call(generation.text)
    if given is None:
        return 0.0, 0.0, 1.0
    same = [call for call in wanted if call.function == given.function]
    known = bool(same) or given.function in functions(sample.metadata.get(COLUMN, ""))
    return float(not known), float(bool(same) and not any(call.equals(given) for call in same)), 1.0


def value(total: Array) -> Array:
    """Return both in percent of samples."""
    return 100.0 * total[..., :-1] / total[..., -1:]
