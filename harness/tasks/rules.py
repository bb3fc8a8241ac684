"""Answer samples without a model, by trivial rules, which every model has to beat.

copy       the input
lead-3     the input's first three lines or sentences
majority   the most frequent reference of the training split
mean       the mean of the training split's references, which are numbers
longest    the longest of the sample's choices
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from statistics import fmean

from harness.errors import DataError, UnknownName
from harness.tasks.numbers import number_of, problem
from harness.types import Sample

RULES = ("copy", "lead-3", "majority", "mean", "longest")
FROM_TRAINING = ("majority", "mean")  # need the training split

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def prepared(rule: str, training: Iterable[Sample] = ()) -> Callable[[Sample], str]:
    """Return the function that answers by a rule; only the rules in FROM_TRAINING read the training samples."""
    match rule:
        case "copy":
            return lambda sample: sample.input
        case "lead-3":
            return lambda sample: _lead(sample.input, 3)
        case "longest":
            return lambda sample: max(sample.choices, key=len, default="")
        case "majority":
            label = _most_frequent(sample.references[0] for sample in training)
            return lambda sample: label
        case "mean":
            mean = f"{fmean(_number(sample) for sample in training):.6g}"
            return lambda sample: mean
    raise UnknownName("trivial rule", rule, RULES)


def _most_frequent(labels: Iterable[str]) -> str:
    """Return the most frequent label; of several, the first in alphabetical order."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _number(sample: Sample) -> float:
    found = number_of(sample.references[0])
    if found is None:
        raise DataError(
            f"training sample {sample.id!r}: {problem(sample.references[0])}; the rule mean needs numbers"
        )
    return found


def _lead(text: str, n: int) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return "\n".join(lines[:n])
    return " ".join(_SENTENCE_END.split(text.strip())[:n])
