"""Matthews correlation of labels, for any number of classes (Gorodkin 2004), times 100.

It is 100 times scikit-learn's `matthews_corrcoef`: 0 for guesses, and where all answers, or all references, are one label.
It can be negative.
"""

from functools import partial

import numpy as np

from harness.metrics import Array, Metric
from harness.metrics.balanced_accuracy import RIGHT
from harness.stats.classes import ClassCounts, over_classes, over_drawn_classes
from harness.tasks.labels import label_row

NAMES = ("matthews",)


def metric() -> Metric:
    """Return the Matthews correlation."""
    return Metric(
        names=NAMES,
        signature="matthews|scale:100|constant:0|space:trimmed|nrefs:var|refs:any|version:1",
        unit="points",
        row=label_row,
        statistic=partial(over_classes, score),
        weighted=partial(over_drawn_classes, score),
        of_sample=RIGHT,
        wanted=0,
    )


def score(counts: ClassCounts) -> Array:
    """Return the correlation, -100 to 100."""
    n, hits = counts.wanted.sum(axis=0), counts.hits.sum(axis=0)
    together = hits * n - (counts.wanted * counts.given).sum(axis=0)
    alone = [n**2 - (side**2).sum(axis=0) for side in (counts.wanted, counts.given)]
    length = np.sqrt(alone[0]) * np.sqrt(alone[1])
    return np.asarray(100.0 * np.where(length > 0, together / np.where(length > 0, length, 1.0), 0.0))
