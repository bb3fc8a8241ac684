"""What training gives away of the test: whole questions, and runs of 13 words (Brown et al. 2020, appendix C)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from harness.types import Sample

WORDS = 13  # in a run
BATCH = 2_000  # training samples hashed at once: some 200,000 words, a few megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Test samples met in training, in the order of the test split."""

    test: int  # samples in the test split
    exact: tuple[str, ...]  # ids whose question is a training question too, apart from case and punctuation
    ngram: tuple[str, ...]  # ids that share a run of 13 words, in question or answer, with a training sample


def overlap(train: Iterable[Sample], test: Iterable[Sample]) -> Overlap:
    """What the two splits share. Training samples are passed over once, a batch at a time.

    Runs are compared by 64-bit hashes: among 100,000 runs in the test split and 10 million in training, the chance
    that any two different ones are taken for equal is one in 18 million.
    """
    tested = list(test)
    vocabulary: dict[str, int] = {}
    runs = [_runs([_numbers(sample, vocabulary, learn=True)]) for sample in tested]
    known = np.unique(np.concatenate([*runs, np.empty(0, np.uint64)]))
    questions = [_question(sample) for sample in tested]
    asked = set(questions) - {""}
    shared_questions: set[str] = set()
    shared_runs: set[int] = set()
    for batch in _batches(train):
        shared_questions.update(asked.intersection(map(_question, batch)))
        found = _runs([_numbers(sample, vocabulary, learn=False) for sample in batch])
        shared_runs.update(np.intersect1d(known, found).tolist())
    return Overlap(
        test=len(tested),
        exact=tuple(
            sample.id for sample, own in zip(tested, questions, strict=True) if own in shared_questions
        ),
        ngram=tuple(
            sample.id
            for sample, own in zip(tested, runs, strict=True)
            if not shared_runs.isdisjoint(own.tolist())
        ),
    )


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    samples = iter(samples)
    while batch := list(islice(samples, BATCH)):
        yield batch


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _question(sample: Sample) -> str:
    """The words of the input and of what else the sample tells; the answer is no part of it."""
    return " ".join(_words(" ".join((sample.input, *sample.metadata.values()))))


def _numbers(sample: Sample, vocabulary: dict[str, int], *, learn: bool) -> list[int]:
    """A number from 1 for each word of question and answer; 0 for one that is not to be learnt."""
    words = _words(" ".join((sample.input, *sample.metadata.values(), *sample.references)))
    if learn:
        return [vocabulary.setdefault(word, len(vocabulary) + 1) for word in words]
    return [vocabulary.get(word, 0) for word in words]


def _runs(
    texts: list[list[int]],  # words as numbers, 0 for a word in no run that matters
) -> NDArray[np.uint64]:
    """A hash of every run of 13 words that lies within one text and holds no 0."""
    numbers = np.array([number for text in texts for number in (*text, 0)], dtype=np.uint64)
    if len(numbers) < WORDS:
        return np.empty(0, np.uint64)
    # Each word's number is mixed to 64 random-looking bits (splitmix64, Steele et al. 2014), then a polynomial in them.
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    last = len(numbers) - WORDS + 1
    hashes = np.zeros(last, np.uint64)
    whole = np.ones(last, bool)
    for place in range(WORDS):
        hashes = hashes * np.uint64(0x100000001B3) + mixed[place : place + last]
        whole &= numbers[place : place + last] != 0
    return hashes[whole]
