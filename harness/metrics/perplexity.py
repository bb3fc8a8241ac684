"""How well a model predicts texts: bits per byte, and perplexity by word and by token, over all texts together.

Bits per byte and word perplexity are lm-evaluation-harness's `bits_per_byte` and `word_perplexity`: the sum of the texts'
log-likelihoods over the sum of their bytes in UTF-8, or of their words between blanks. Models with different tokenizers can
be compared by bits per byte; token perplexity depends on the tokenizer.
"""

import math
import re

import numpy as np

from harness.errors import SuiteError
from harness.metrics import Array, Caution, Metric
from harness.types import Generation, Sample

NAMES = ("bits_per_byte", "word_perplexity", "token_perplexity")
KINDS = ("perplexity",)
MOST_NATS = 700.0  # a perplexity of more nats is not finite
FEW_WORDS = 50  # characters a word, from which on a text is not written with blanks between words

_BLANKS = re.compile(r"\s+")


def metric() -> Metric:
    """Return bits per byte and perplexities."""
    return Metric(
        names=NAMES,
        signature="perplexity|mean:corpus|bytes:utf-8|words:blanks|refused:left-out|version:1",
        unit="raw",
        better="lower",
        row=row,
        value=value,
        cautions=(REFUSED, WITHOUT_BLANKS),
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return the log-likelihood in nats, and the bytes, words and tokens of the text; zeros for a text that was refused."""
    if generation.finish == "refused":
        return 0.0, 0.0, 0.0, 0.0
    if generation.logprob is None or generation.options or generation.text:
        raise SuiteError(
            f"perplexity: sample {sample.id!r} has an answer, and no likelihood of its text; ask a task of kind perplexity, "
            "without trivial rules"
        )
    text = sample.input
    size = len(text.encode("utf-8", "surrogatepass"))
    return generation.logprob, float(size), float(_words(text)), float(generation.output_tokens)


def value(
    total: Array,  # [..., 4], as `row` orders them
) -> Array:  # [..., 3]
    """Return the scores; NaN where no text was read."""
    counts = total[..., 1:]
    nats = np.where(counts > 0, -total[..., :1] / np.where(counts > 0, counts, 1.0), np.nan)
    perplexities = np.exp(np.minimum(nats[..., 1:], MOST_NATS))
    return np.concatenate([nats[..., :1] / math.log(2), perplexities], axis=-1)


def _words(text: str) -> int:
    return len(_BLANKS.split(text))


REFUSED = Caution(
    said="texts that could not be read: they are left out",
    holds=lambda sample, generation: generation.finish == "refused",
)
WITHOUT_BLANKS = Caution(
    said="texts with hardly a blank, as in Chinese: word_perplexity has no meaning there, bits_per_byte has",
    holds=lambda sample, generation: len(sample.input) > FEW_WORDS * _words(sample.input),
)
