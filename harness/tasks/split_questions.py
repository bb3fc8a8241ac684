"""Count the questions that stand in two splits of a source, whatever files the splits are."""

from array import array
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.tasks.overlap import question
from harness.types import Sample, Split


class SplitQuestions:
    """Keeps a hash of each question of each split, eight bytes a sample."""

    def __init__(self) -> None:
        self._hashes: dict[Split, array[int]] = {}

    def add(self, split: Split, sample: Sample) -> None:
        """Add the question of a sample; a sample without words has none."""
        if (hashed := question(sample)) is not None:
            self._hashes.setdefault(split, array("Q")).append(hashed)

    def shared(self) -> Iterator[tuple[Split, Split, int]]:
        """Yield each two splits that share questions, and how many samples of the second are asked in the first."""
        found = {split: _read(hashes) for split, hashes in self._hashes.items()}
        for (one, first), (other, second) in combinations(found.items(), 2):
            if count := int(np.isin(second, first).sum()):
                yield one, other, count


def _read(hashes: "array[int]") -> NDArray[np.uint64]:
    return np.frombuffer(hashes, np.uint64)
