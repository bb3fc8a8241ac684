"""Number the clusters of samples that are resampled together."""

from collections.abc import Iterable


def numbered(labels: Iterable[str]) -> list[int]:
    """Return a number for each label, equal numbers for equal labels, counted in the order of their first use.

    Numbers are used because a copy of a RESULT may hide the labels.
    """
    numbers: dict[str, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]
