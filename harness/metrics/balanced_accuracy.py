"""Mean over classes of the share of hits, as scikit-learn's `balanced_accuracy_score`: rare classes count as frequent ones.

Classes are the labels that occur as references, in a resample those of the resample.
"""

from functools import partial

import numpy as np

from harness.metrics import Array, Metric, SampleNumber
from harness.stats.classes import ClassCounts, over_classes, over_drawn_classes
from harness.tasks.labels import label_row

NAMES = ("balanced_accuracy",)
RIGHT = SampleNumber(
    name="Right answer",
    said="100 for a right answer, 0 for a wrong one",
    of=lambda rows: 100.0 * (rows[..., 0] == rows[..., 1]),
    unit="%",
)


def metric() -> Metric:
    """Return balanced accuracy."""
    return Metric(
        names=NAMES,
        signature="balanced_accuracy|classes:references|space:trimmed|nrefs:var|refs:any|version:1",
        unit="%",
        row=label_row,
        statistic=partial(over_classes, score),
        weighted=partial(over_drawn_classes, score),
        of_sample=RIGHT,
    )


def score(counts: ClassCounts) -> Array:
    """Return the mean recall, 0 to 100."""
    there = counts.wanted > 0
    recall = np.where(there, counts.hits / np.where(there, counts.wanted, 1.0), 0.0)
    return np.asarray(100.0 * recall.sum(axis=0) / there.sum(axis=0))
