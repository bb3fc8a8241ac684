"""Mean METEOR (Lavie and Agarwal 2007) of answers in English by nltk, as `evaluate` computes it: words, stems and synonyms.

Synonyms are those of WordNet 3.0 and sentences are found by Punkt, two sets of data that nltk downloads. With
`synonyms: false` and `split: none` neither is needed, and the numbers are others: so says the signature.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Literal

from harness.errors import SuiteError
from harness.metrics import Array, Metric
from harness.types import Generation, Sample

NAMES = ("meteor",)
WORDNET, PUNKT = "wordnet", "punkt_tab"  # as nltk calls its data
WORDNET_VERSION = "3.0"
SETTINGS = "alpha:0.9|beta:3.0|gamma:0.5"  # nltk's defaults, and evaluate's

# How a text is split before its words are: by Punkt into sentences, or not at all.
Split = Literal["punkt", "none"]


def metric(*, synonyms: bool = True, split: Split = "punkt") -> Metric:
    """Return METEOR; of several references the best counts, as in nltk."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (METEOR, samples)."""
        from nltk.translate.meteor_score import meteor_score

        words = _tokenizer(split)
        known = _wordnet(_places()) if synonyms else _NoSynonyms()
        score = meteor_score(
            [words(text) for text in sample.references], words(generation.text), wordnet=known
        )
        return float(score), 1.0

    said = f"wordnet:{WORDNET_VERSION}" if synonyms else "wordnet:none"
    return Metric(
        names=NAMES,
        signature=f"meteor|nrefs:var|refs:best|{said}|split:{split}|{SETTINGS}|version:{version('nltk')}",
        unit="points",
        row=row,
        value=value,
    )


def value(
    total: Array,  # [..., 2], as `row` orders them
) -> Array:  # [..., 1], 0 to 100
    """Return the mean over the samples."""
    mean: Array = 100.0 * total[..., :1] / total[..., 1:]
    return mean


def unready(*, synonyms: bool = True, split: Split = "punkt") -> str | None:
    """Return what this machine lacks for these settings and the command that fetches it; None where nothing is missing."""
    missing = []
    for name, needed, look in (
        (WORDNET, synonyms, lambda: _wordnet(_places())),
        (PUNKT, split == "punkt", lambda: _tokenizer("punkt")("")),
    ):
        try:
            _ = look() if needed else None
        except LookupError:
            missing.append(name)
    if not missing:
        return None
    return (
        f"nltk's data {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not on this machine; run "
        f"`python -m nltk.downloader {' '.join(missing)}`, or write `meteor: {{synonyms: false, split: none}}`"
    )


class _NoSynonyms:
    """A WordNet without a word: METEOR then compares words and their stems alone."""

    def synsets(self, word: str) -> list[Any]:
        """Return no set of synonyms."""
        return []


def _places() -> tuple[str, ...]:
    """Return the folders in which nltk looks for its data."""
    import nltk.data

    return tuple(map(str, nltk.data.path))


@lru_cache(1)
def _wordnet(places: tuple[str, ...]) -> Any:
    """Return nltk's reader of WordNet; raise LookupError without the data, SuiteError for another version."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other languages are missing
        reader: Any = LazyCorpusLoader(WORDNET, WordNetCorpusReader, None)
        reader.ensure_loaded()
    if (found := reader.get_version()) != WORDNET_VERSION:
        raise SuiteError(
            f"meteor: nltk's data {WORDNET} is WordNet {found}, not {WORDNET_VERSION}, and the numbers would be others; "
            f"run `python -m nltk.downloader --force {WORDNET}`"
        )
    return reader


def _tokenizer(split: Split) -> Callable[[str], list[str]]:
    """Return nltk's function from a text to its words."""
    from nltk.tokenize import word_tokenize

    return lambda text: word_tokenize(text, preserve_line=split == "none")
