"""Token F1 as in SQuAD 2.0's evaluation script (Rajpurkar et al. 2018): mean over samples, best reference.

One difference: a blank answer always scores 0. SQuAD gives it 1 if the reference is only articles and
punctuation ("A"), which there marks a question without an answer; here every question has an answer.
"""

import re
import string
from collections import Counter

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("f1",)
WRITTEN = True  # compares words or characters of answers that a model writes

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)


def metric() -> Metric:
    """Return token F1."""
    return Metric(
        names=NAMES,
        signature="f1|norm:squad-v2|blank:0|mean:samples|nrefs:var|refs:best|version:1",
        unit="points",
        row=row,
        value=value,
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return F1, 0 to 1, and the number of samples."""
    if not generation.text.strip():
        return 0.0, 1.0
    return max(_f1(generation.text, reference) for reference in sample.references), 1.0


def value(total: Array) -> Array:
    """Return the mean F1, 0 to 100."""
    return 100.0 * total[..., :1] / total[..., 1:]


def _f1(answer: str, reference: str) -> float:
    found, wanted = _tokens(answer), _tokens(reference)
    if not found or not wanted:
        return float(found == wanted)
    common = (Counter(found) & Counter(wanted)).total()
    if not common:
        return 0.0
    precision, recall = common / len(found), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _tokens(text: str) -> list[str]:
    """Return the words in lower case, without punctuation, then without articles: SQuAD's order."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()
