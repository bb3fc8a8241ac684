"""Corpus chrF2 (Popović 2015) by sacrebleu (Post 2018), at its defaults: six character orders, no words."""

import numpy as np

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("chrf",)
ORDERS = 6
BETA = 2.0


def metric() -> Metric:
    """N-grams are sacrebleu's, and so is the choice of a reference: the one with the best sentence chrF2."""
    from sacrebleu import extract_char_ngrams
    from sacrebleu.metrics.chrf import CHRF

    judge = CHRF()

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """For each order: n-grams of the answer, of the reference, and matches."""
        best = sample.references[0]
        if len(sample.references) > 1:
            best = max(
                sample.references, key=lambda text: judge.sentence_score(generation.text, [text]).score
            )
        sums: list[float] = []
        for order in range(1, ORDERS + 1):
            answer, reference = extract_char_ngrams(generation.text, order), extract_char_ngrams(best, order)
            # sacrebleu counts nothing for an order that the reference is too short for.
            sums += [float(answer.total() if reference else 0), float(reference.total())]
            sums += [float((answer & reference).total())]
        return tuple(sums)

    return Metric(names=NAMES, signature=f"chrF2|{_signature()}", unit="points", row=row, value=value)


def value(
    total: Array,  # [..., 18], as `row` orders them
) -> Array:  # [..., 1], 0 to 100
    """F of the precision and the recall, each a mean over the orders that both sides have n-grams of."""
    answer, reference, match = total[..., 0::3], total[..., 1::3], total[..., 2::3]
    both = (answer > 0) & (reference > 0)
    orders = np.maximum(both.sum(axis=-1), 1)
    precision = np.where(both, match / np.where(both, answer, 1.0), 0.0).sum(axis=-1) / orders
    recall = np.where(both, match / np.where(both, reference, 1.0), 0.0).sum(axis=-1) / orders
    bottom = BETA**2 * precision + recall
    chrf = 100.0 * (1 + BETA**2) * precision * recall / np.where(bottom > 0, bottom, 1.0)
    return np.asarray(chrf[..., None])


def _signature() -> str:
    """As sacrebleu prints it after scoring a corpus, here one whose number of references varies."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF()
    chrf.corpus_score(["a", "a"], [["a", "a"], ["a", None]])  # type: ignore[list-item]
    return str(chrf.get_signature())
