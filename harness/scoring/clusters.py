"""Samples that are resampled together, by numbers."""

from collections.abc import Iterable


def numbered(labels: Iterable[str]) -> list[int]:
    """Return a number for each label, equal ones for equal labels, in the order in which they come.

    Numbers, since a copy of a RESULT may hide the labels that another shows.
    """
    numbers: dict[str, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]
