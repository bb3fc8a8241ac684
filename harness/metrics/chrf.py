"""Corpus chrF2 (Popović 2015) by sacrebleu (Post 2018): six character orders, no words unless asked for.

With `word_order` 2 it is chrF++ (Popović 2017).
"""

import string
from collections.abc import Iterator
from typing import Literal

import numpy as np

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("chrf",)
WRITTEN = True  # compares words or characters of answers that a model writes
ORDERS = 6
BETA = 2.0

WordOrder = Literal[0, 1, 2]  # the longest n-grams of words that are counted besides those of characters


def metric(*, word_order: WordOrder = 0, lowercase: bool = False) -> Metric:
    """Return chrF; n-grams are sacrebleu's, and so is the choice of the reference with the best sentence chrF2."""
    from sacrebleu import extract_char_ngrams, extract_word_ngrams
    from sacrebleu.metrics.chrf import CHRF

    judge = CHRF(word_order=word_order, lowercase=lowercase)

    def case(text: str) -> str:
        return text.lower() if lowercase else text

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return, for each order, n-grams of the answer, n-grams of the reference, and matches."""
        best = sample.references[0]
        if len(sample.references) > 1:
            best = max(
                sample.references, key=lambda text: judge.sentence_score(generation.text, [text]).score
            )
        texts = case(generation.text), case(best)
        words = [[*_words(text)] for text in texts] if word_order else [[], []]
        counts = [[extract_char_ngrams(text, order) for text in texts] for order in range(1, ORDERS + 1)]
        counts += [[extract_word_ngrams(side, order + 1) for side in words] for order in range(word_order)]
        sums: list[float] = []
        for answer, reference in counts:
            # sacrebleu counts nothing for an order that the reference is too short for.
            sums += [float(answer.total() if reference else 0), float(reference.total())]
            sums += [float((answer & reference).total())]
        return tuple(sums)

    signature = f"chrF2{'+' * word_order}|{_signature(word_order, lowercase)}"
    return Metric(names=NAMES, signature=signature, unit="points", row=row, value=value)


def value(
    total: Array,  # [..., 18], or 3 more for each order of words, as `row` orders them
) -> Array:  # [..., 1], 0 to 100
    """Return the F score of precision and recall, each a mean over the orders of which both sides have n-grams."""
    answer, reference, match = total[..., 0::3], total[..., 1::3], total[..., 2::3]
    both = (answer > 0) & (reference > 0)
    orders = np.maximum(both.sum(axis=-1), 1)
    precision = np.where(both, match / np.where(both, answer, 1.0), 0.0).sum(axis=-1) / orders
    recall = np.where(both, match / np.where(both, reference, 1.0), 0.0).sum(axis=-1) / orders
    bottom = BETA**2 * precision + recall
    chrf = 100.0 * (1 + BETA**2) * precision * recall / np.where(bottom > 0, bottom, 1.0)
    return np.asarray(chrf[..., None])


def _words(text: str) -> Iterator[str]:
    """Yield words as sacrebleu does for chrF++, with a punctuation mark at the end, or else the beginning, split off."""
    for word in text.split():
        if len(word) > 1 and word[-1] in string.punctuation:
            yield from (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in string.punctuation:
            yield from (word[0], word[1:])
        else:
            yield word


def _signature(word_order: WordOrder, lowercase: bool) -> str:
    """Return the signature that sacrebleu prints for a corpus with a varying number of references."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF(word_order=word_order, lowercase=lowercase)
    chrf.corpus_score(["a", "a"], [["a", "a"], ["a", None]])  # type: ignore[list-item]
    return str(chrf.get_signature())
