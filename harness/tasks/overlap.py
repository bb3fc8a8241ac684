"""Find test samples that also occur in training: whole questions, and runs of 13 words (Brown et al. 2020, appendix C).

Both are compared by 64-bit hashes, which are kept on disk, so memory does not grow with the splits.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.types import Sample

WORDS = 13  # in a run
BATCH = 1_000  # samples hashed together: some 100,000 words, a few megabytes
PARTS = 16  # files that the hashes are divided into: with 10 million hashes, each has 5 to 8 megabytes
SPOOLED = 1 << 14  # bytes of a part that stay in memory

Hashes = NDArray[np.uint64]
Places = NDArray[np.uint32]  # of samples in the test split


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Test samples that occur in training, in the order of the test split."""

    test: int  # samples in the test split
    exact: tuple[str, ...]  # ids whose question is a training question too, apart from case and punctuation
    ngram: tuple[str, ...]  # ids that share a run of 13 words, in question or answer, with a training sample


def overlap(train: Iterable[Sample], test: Iterable[Sample], folder: Path | None = None) -> Overlap:
    """Return the overlap of two splits; each is read once, a batch at a time. Hashes are kept in files in the folder.

    With 10 million runs in each split, the chance that any two different runs are taken for equal is one in 180,000.
    """
    ids: list[str] = []
    with ExitStack() as stack:
        questions, runs = (stack.enter_context(_Meeting(folder)) for _ in range(2))
        for batch in _batches(test):
            questions.test(*_questions(batch, len(ids)))
            runs.test(*_runs(batch, len(ids)))
            ids += [sample.id for sample in batch]
        for batch in _batches(train):
            questions.train(_questions(batch)[0])
            runs.train(_runs(batch)[0])
        return Overlap(
            test=len(ids),
            exact=tuple(ids[place] for place in questions.met()),
            ngram=tuple(ids[place] for place in runs.met()),
        )


class _Meeting:
    """Finds the test samples with a hash that training has too; hashes are divided by their last bits into parts."""

    _ENTRY = np.dtype([("hash", np.uint64), ("place", np.uint32)])

    def __init__(self, folder: Path | None) -> None:
        self._tested, self._trained = _files(folder), _files(folder)

    def __enter__(self) -> "_Meeting":
        return self

    def __exit__(self, *_: object) -> None:
        for file in (*self._tested, *self._trained):
            file.close()

    def test(self, hashes: Hashes, places: Places) -> None:
        """Add hashes of the test split, with the positions of their samples."""
        entries = np.empty(len(hashes), self._ENTRY)
        entries["hash"], entries["place"] = hashes, places
        for file, chosen in zip(self._tested, _parts(hashes), strict=True):
            file.write(entries[chosen].tobytes())

    def train(self, hashes: Hashes) -> None:
        """Add hashes of the training split."""
        for file, chosen in zip(self._trained, _parts(hashes), strict=True):
            file.write(hashes[chosen].tobytes())

    def met(self) -> list[int]:
        """Return the positions of the test samples that share a hash with training, in order."""
        found: set[int] = set()
        for tested, trained in zip(self._tested, self._trained, strict=True):
            tested.seek(0)
            trained.seek(0)
            entries = np.frombuffer(tested.read(), self._ENTRY)
            known = np.sort(np.frombuffer(trained.read(), np.uint64))
            if len(known):
                nearest = np.searchsorted(known, entries["hash"]).clip(max=len(known) - 1)
                found.update(entries["place"][known[nearest] == entries["hash"]].tolist())
        return sorted(found)


def _files(folder: Path | None) -> list[IO[bytes]]:
    where = str(folder) if folder else None
    return [SpooledTemporaryFile(SPOOLED, dir=where) for _ in range(PARTS)]


def _parts(hashes: Hashes) -> list[NDArray[np.intp]]:
    """Return for each part the positions of its hashes."""
    part = (hashes % np.uint64(PARTS)).astype(np.uint8)
    order = np.argsort(part, kind="stable")
    return np.split(order, np.searchsorted(part[order], np.arange(1, PARTS)))


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    samples = iter(samples)
    while batch := list(islice(samples, BATCH)):
        yield batch


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _hash(text: str) -> int:
    """Return a hash of 64 bits, the same in every process; never 0, which separates two texts."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> int:
    """Return the hash of a word, cached because words repeat."""
    return _hash(word)


def question(sample: Sample) -> int | None:
    """Return a hash of a sample's question; None for a question without words.

    A question is the words of the input, of the turns before it and of the sample's other columns, without the answer.
    """
    words = _words(" ".join((*sample.told, *sample.metadata.values())))
    return _hash(" ".join(words)) if words else None


def _questions(batch: list[Sample], first: int = 0) -> tuple[Hashes, Places]:
    """Return a hash of each question that has words, and the position of its sample."""
    hashes, places = array("Q"), array("I")
    for place, sample in enumerate(batch, start=first):
        if (hashed := question(sample)) is not None:
            hashes.append(hashed)
            places.append(place)
    return np.frombuffer(hashes, np.uint64), np.frombuffer(places, np.uint32)


def _runs(batch: list[Sample], first: int = 0) -> tuple[Hashes, Places]:
    """Return a hash of every run of 13 words within a sample's question and answer, and the sample's position."""
    numbers, lengths = array("Q"), []
    for sample in batch:
        words = _words(" ".join((*sample.told, *sample.metadata.values(), *sample.references)))
        numbers.extend(map(_word, words))
        numbers.append(0)
        lengths.append(len(words) + 1)
    number = np.frombuffer(numbers, np.uint64)
    last = max(0, len(number) - WORDS + 1)
    hashes, whole = np.zeros(last, np.uint64), np.ones(last, bool)
    for place in range(WORDS):  # a polynomial in the words' hashes
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + number[place : place + last]
        whole &= number[place : place + last] != 0
    places = np.repeat(np.arange(first, first + len(batch), dtype=np.uint32), lengths)[:last]
    return hashes[whole], places[whole]
