"""Count classes in resampled rows: how often each is wanted, given, and hit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.table import Array

COUNTS = 1 << 20  # counts made at once, 8 MB: answers that are no label may make thousands of classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCounts:
    """How often each class is wanted, is given, and both; arrays [resamples, classes]."""

    wanted: Array
    given: Array
    hits: Array


def over_classes(
    rows: Array,  # [..., n, 2]: the code of the class that is wanted, and of the class that is given
    score: Callable[[ClassCounts], Array],  # -> [resamples]
) -> Array:  # [..., 1]
    """Return a score of the classes' counts for each table of rows."""
    codes = rows.reshape(-1, *rows.shape[-2:])
    places, classes = _numbered(codes)
    size = max(1, COUNTS // classes)
    found = [score(_counts(places[start : start + size], classes)) for start in range(0, len(places), size)]
    return np.concatenate(found).reshape(*rows.shape[:-2], 1)


def _counts(places: NDArray[np.intp], classes: int) -> ClassCounts:
    resamples = len(places)
    first = classes * np.arange(resamples)[:, None]
    wanted, given = places[..., 0] + first, places[..., 1] + first

    def counted(found: NDArray[np.intp]) -> Array:
        times = np.bincount(found.ravel(), minlength=resamples * classes)
        return times.reshape(resamples, classes).astype(np.float64)

    return ClassCounts(wanted=counted(wanted), given=counted(given), hits=counted(wanted[wanted == given]))


def _numbered(
    codes: Array,  # [resamples, n, 2]
) -> tuple[NDArray[np.intp], int]:
    """Return a number from 0 for each code, and the number of classes.

    Resamples have the codes of one test set, so those of the first resample are nearly all: sorting all codes took most of
    the time.
    """
    classes = np.unique(codes[0])
    while True:
        places = np.minimum(np.searchsorted(classes, codes), len(classes) - 1)
        unknown = classes[places] != codes
        if not unknown.any():
            return places, len(classes)
        classes = np.union1d(classes, codes[unknown])
