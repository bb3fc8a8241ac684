"""Share of answers that are the wanted call of a function, for answers that are calls of an API (as in Gorilla).

The last call in the answer, as Python writes calls, is compared with the reference's. `match: strict` compares the
function's name and all arguments: the order of named arguments does not count, and values are compared as values. `match:
gorilla` is Gorilla's own comparison (Patil et al. 2023), which only searches the reference's values in the answer's call.
An answer without a call is a miss. Calls are parsed, and never run.
"""

from typing import Literal

from harness.errors import DataError
from harness.metrics import Caution, Metric, exact
from harness.tasks.calls import Call, gorilla_match, last_call
from harness.types import Generation, Sample

NAMES = ("ast",)

Match = Literal["strict", "gorilla"]

NO_CALL = Caution(
    said="answers without a call of a function that Python can parse: they count as misses",
    holds=lambda sample, generation: last_call(generation.text) is None,
)


def metric(*, match: Match = "strict") -> Metric:
    """Return the share of right calls."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (hits, samples)."""
        wanted, given = wanted_calls(sample), last_call(generation.text)
        return float(given is not None and any(matches(each, given, match) for each in wanted)), 1.0

    return Metric(
        names=NAMES,
        signature=f"ast|match:{match}|call:last|nrefs:var|refs:any|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=exact.value,
        cautions=(NO_CALL,),
    )


def matches(wanted: Call, given: Call, match: Match) -> bool:
    """Return whether a call is the wanted one."""
    return wanted.equals(given) if match == "strict" else gorilla_match(wanted, given)


def wanted_calls(sample: Sample) -> list[Call]:
    """Return the calls of the references; DataError if one has none."""
    found = []
    for reference in sample.references:
        call = last_call(reference)
        if call is None:
            raise DataError(
                f"sample {sample.id!r}: the reference {reference[:60]!r} has no call that Python can parse; correct it"
            )
        found.append(call)
    return found
