"""Macro F1: the mean over classes of F1, as scikit-learn's `f1_score(average="macro")`.

Classes are the labels that occur as references, in a resample those of the resample. An answer that is none of them is a
miss of its sample's class and no class of its own; scikit-learn does the same if it is given the references' labels.
"""

from functools import partial

import numpy as np

from harness.metrics import Array, Metric
from harness.metrics.balanced_accuracy import RIGHT
from harness.stats.classes import ClassCounts, over_classes, over_drawn_classes
from harness.tasks.labels import label_row

NAMES = ("f1_macro",)


def metric() -> Metric:
    """Return macro F1."""
    return Metric(
        names=NAMES,
        signature="f1_macro|classes:references|space:trimmed|nrefs:var|refs:any|version:1",
        unit="points",
        row=label_row,
        statistic=partial(over_classes, score),
        weighted=partial(over_drawn_classes, score),
        of_sample=RIGHT,
    )


def score(counts: ClassCounts) -> Array:
    """Return the mean F1, 0 to 100."""
    there = counts.wanted > 0
    f1 = 2 * counts.hits / np.where(there, counts.wanted + counts.given, 1.0)
    return np.asarray(100.0 * np.where(there, f1, 0.0).sum(axis=0) / there.sum(axis=0))
