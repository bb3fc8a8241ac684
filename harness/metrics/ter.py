"""Corpus TER (Snover et al. 2006) by sacrebleu (Post 2018), with its defaults: edits in percent of the references' words."""

import numpy as np

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("ter",)
WRITTEN = True  # compares words or characters of answers that a model writes


def metric(
    *,
    normalized: bool = False,
    no_punct: bool = False,
    asian_support: bool = False,
    case_sensitive: bool = False,
) -> Metric:
    """Return TER; edits are counted by sacrebleu, which takes the reference with the fewest and the mean of their words."""
    from sacrebleu.metrics.ter import TER

    def counter() -> TER:
        return TER(
            normalized=normalized,
            no_punct=no_punct,
            asian_support=asian_support,
            case_sensitive=case_sensitive,
        )

    judge = counter()

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return edits and words of the reference."""
        score = judge.sentence_score(generation.text, sample.references)
        return float(score.num_edits), float(score.ref_length)

    signed = counter()
    signed.corpus_score(["a", "a"], [["a", "a"], ["a", None]])  # type: ignore[list-item]
    return Metric(
        names=NAMES,
        signature=f"TER|{signed.get_signature()}",
        unit="points",
        better="lower",
        row=row,
        value=value,
    )


def value(
    total: Array,  # [..., 2], as `row` orders them
) -> Array:  # [..., 1]; can be more than 100
    """Return TER; without a word in the references it is 100 if there is an edit, as in sacrebleu."""
    edits, words = total[..., :1], total[..., 1:]
    return np.where(words > 0, 100.0 * edits / np.where(words > 0, words, 1.0), 100.0 * (edits > 0))
