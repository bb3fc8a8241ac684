"""ROUGE-1, -2, -L and -Lsum by rouge_score (Lin 2004), Google's port of ROUGE-1.5.5: mean F1 over samples.

Only stems are remembered between samples; every count and longest common subsequence is rouge_score's own.
Its tokenizer knows a to z and 0 to 9 only: text in another script scores 0.
"""

from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def metric() -> Metric:
    """With the Porter stemmer; ROUGE-Lsum's sentences end at newlines; the best reference of several."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """F1 of each variant, 0 to 1, and the number of samples."""
        scores = _scorer().score_multi(sample.references, generation.text)
        return *(float(scores[name].fmeasure) for name in NAMES), 1.0

    def value(total: Array) -> Array:
        return 100.0 * total[..., :-1] / total[..., -1:]

    return Metric(
        names=NAMES,
        signature="rouge|score:f1|mean:samples|nrefs:var|refs:best|stemmer:yes|split:newline|tok:default"
        f"|nltk:{version('nltk')}|version:{version('rouge-score')}",
        unit="points",
        row=row,
        value=value,
    )


@cache
def _scorer() -> Any:
    """Made where the first row is: rouge_score imports nltk, and that half of scipy, which takes seconds."""
    from nltk.stem.porter import PorterStemmer
    from rouge_score import rouge_scorer, tokenize, tokenizers

    class Stemmer:
        """Remembers stems: words repeat, and stemming takes 11 times as long as all other tokenizing."""

        stem = staticmethod(lru_cache(maxsize=1 << 17)(PorterStemmer().stem))

    class Tokenizer(tokenizers.Tokenizer):  # type: ignore[misc]
        """rouge_score's DefaultTokenizer(use_stemmer=True)."""

        def tokenize(self, text: str) -> list[str]:
            tokens: list[str] = tokenize.tokenize(text, Stemmer)
            return tokens

    return rouge_scorer.RougeScorer(NAMES, tokenizer=Tokenizer())
