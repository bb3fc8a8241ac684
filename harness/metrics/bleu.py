"""Corpus BLEU (Papineni et al. 2002) by sacrebleu (Post 2018), with its defaults."""

from typing import Literal

import numpy as np

from harness.metrics import Array, Caution, Metric
from harness.types import Generation, Sample

NAMES = ("bleu",)
WRITTEN = True  # compares words or characters of answers that a model writes
ORDERS = 4
# sacrebleu's own check, which it makes where it gets all answers at once; 100 is its number.
TOKENIZED = Caution(
    said="answers that end in a tokenized period (' .'): sacrebleu takes them for tokenized text, which may hurt the score; "
    "detokenize the training data, or the answers",
    holds=lambda sample, generation: generation.text.endswith(" ."),
    least=100,
)

Tokenizer = Literal["13a", "intl", "zh", "char", "none"]  # those of sacrebleu that need no download


def metric(*, tokenize: Tokenizer = "13a", lowercase: bool = False) -> Metric:
    """Return BLEU; matches are counted by sacrebleu, `value` is its `compute_bleu` for many totals at once."""
    from sacrebleu.metrics.bleu import BLEU

    # Counts do not depend on effective_order; without it sacrebleu warns at every sentence.
    counter = BLEU(effective_order=True, tokenize=tokenize, lowercase=lowercase)

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return matches and n-grams of each order, words of the answer, words of the closest reference."""
        score = counter.sentence_score(generation.text, sample.references)
        return (
            *map(float, score.counts),
            *map(float, score.totals),
            float(score.sys_len),
            float(score.ref_len),
        )

    signature = f"BLEU|{_signature(tokenize, lowercase)}"
    return Metric(
        names=NAMES, signature=signature, unit="points", row=row, value=value, cautions=(TOKENIZED,)
    )


def value(
    total: Array,  # [..., 10], as `row` orders them
) -> Array:  # [..., 1], 0 to 100
    """Return BLEU with exponential smoothing (NIST; method 3 of Chen and Cherry 2014).

    The k-th order without a match counts as 1 / 2^k matches. As in sacrebleu, BLEU is 0 without any
    match, or without an n-gram of some order.
    """
    correct, possible = total[..., :ORDERS], total[..., ORDERS : 2 * ORDERS]
    answer_length, reference_length = total[..., -2], total[..., -1]
    smoothed = correct
    if not correct.all():  # seldom, and two thirds of the time
        smoothed = np.where(correct > 0, correct, 0.5 ** np.cumsum(correct == 0, axis=-1))
    defined = (correct > 0).any(axis=-1) & (possible > 0).all(axis=-1)
    precision = smoothed / np.where(possible > 0, possible, 1.0)
    brevity = np.exp(
        np.minimum(0.0, 1.0 - reference_length / np.where(answer_length > 0, answer_length, 1.0))
    )
    bleu = np.where(defined, 100.0 * brevity * np.exp(np.log(precision).mean(axis=-1)), 0.0)
    return np.asarray(bleu[..., None])


def _signature(tokenize: Tokenizer, lowercase: bool) -> str:
    """Return the signature that sacrebleu prints for a corpus with a varying number of references."""
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(tokenize=tokenize, lowercase=lowercase)
    bleu.corpus_score(["a", "a"], [["a", "a"], ["a", None]])  # type: ignore[list-item]
    return str(bleu.get_signature())
