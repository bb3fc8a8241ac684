"""Count classes in rows and resamples: how often each is wanted, given, and hit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.table import Array

COUNTS = 1 << 20  # counts made at once, 8 MB: answers that are no label may make thousands of classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCounts:
    """How often each class is wanted, is given, and both; arrays [classes, resamples]."""

    wanted: Array
    given: Array
    hits: Array


Score = Callable[[ClassCounts], Array]  # -> [resamples]


def over_classes(
    score: Score,
    rows: Array,  # [..., n, 2]: the code of the class that is wanted, and of the class that is given
) -> Array:  # [..., 1]
    """Return a score of the classes' counts for each table of rows."""
    codes = rows.reshape(-1, *rows.shape[-2:])
    labels, numbers = np.unique(codes, return_inverse=True)
    places = numbers.reshape(codes.shape)
    size = max(1, COUNTS // len(labels))
    found = [
        score(_counts(places[start : start + size], len(labels))) for start in range(0, len(places), size)
    ]
    return np.concatenate(found).reshape(*rows.shape[:-2], 1)


def over_drawn_classes(
    score: Score,
    rows: Array,  # [n, 2], as above
    drawn: Array,  # [n, resamples] how often each row is drawn
) -> Array:  # [resamples, 1]
    """Return a score of the classes' counts in resamples."""
    labels, numbers = np.unique(rows, return_inverse=True)
    wanted, given = numbers.reshape(rows.shape).T
    size = max(1, COUNTS // len(labels))
    return np.concatenate(
        [
            score(_drawn_counts(wanted, given, drawn[:, start : start + size], len(labels)))
            for start in range(0, drawn.shape[1], size)
        ]
    )[:, None]


def summed(
    places: NDArray[np.intp],  # [n] the group of each row, from 0
    drawn: Array,  # [n, resamples]
    groups: int,
) -> Array:  # [groups, resamples]
    """Return how often rows of each group are drawn."""
    found = np.zeros((groups, drawn.shape[1]))
    if len(places):
        order = np.argsort(places, kind="stable")
        first = np.flatnonzero(np.diff(places[order], prepend=-1))
        ordered = drawn[order]
        found[places[order][first]] = (
            ordered if len(first) == len(order) else np.add.reduceat(ordered, first, axis=0)
        )
    return found


def _drawn_counts(
    wanted: NDArray[np.intp], given: NDArray[np.intp], drawn: Array, classes: int
) -> ClassCounts:
    hit = wanted == given
    return ClassCounts(
        wanted=summed(wanted, drawn, classes),
        given=summed(given, drawn, classes),
        hits=summed(wanted[hit], drawn[hit], classes),
    )


def _counts(
    places: NDArray[np.intp],  # [resamples, n, 2]
    classes: int,
) -> ClassCounts:
    resamples = len(places)
    first = classes * np.arange(resamples)[:, None]
    wanted, given = places[..., 0] + first, places[..., 1] + first

    def counted(found: NDArray[np.intp]) -> Array:
        times = np.bincount(found.ravel(), minlength=resamples * classes)
        return times.reshape(resamples, classes).T.astype(np.float64)

    return ClassCounts(wanted=counted(wanted), given=counted(given), hits=counted(wanted[wanted == given]))
