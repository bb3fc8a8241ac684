"""Read the numbers of samples and answers for metrics that compare numbers."""

from statistics import fmean

from harness.errors import DataError
from harness.text import as_number
from harness.types import Generation, Sample

MOST = 1e100  # the square of a larger number is soon not finite


def number_of(text: str) -> float | None:
    """Return the number that a text is; None if it is not a number, or farther from zero than MOST."""
    found = as_number(text)
    return None if found is None or abs(found) > MOST else found


def problem(text: str) -> str | None:
    """Return why a reference is no number to compare with, as a clause; None where it is one."""
    if number_of(text) is not None:
        return None
    shown = text if len(text) <= 60 else f"{text[:57]}…"
    why = "is not a number" if as_number(text) is None else f"is farther from zero than {MOST:g}"
    return f"the reference {shown!r} {why}"


def wanted_number(sample: Sample) -> float:
    """Return the number that is wanted, the mean of several references; DataError if one is no number."""
    found = []
    for reference in sample.references:
        number = number_of(reference)
        if number is None:
            raise DataError(
                f"sample {sample.id!r}: {problem(reference)}; correct it, or use a metric of texts"
            )
        found.append(number)
    return fmean(found)


def number_row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return the number that is wanted, the number that is given or 0, and whether a number is given."""
    given = number_of(generation.text)
    return wanted_number(sample), 0.0 if given is None else given, float(given is not None)


def is_no_number(sample: Sample, generation: Generation) -> bool:
    """Return whether an answer is no number."""
    return number_of(generation.text) is None
