"""ROUGE-1, -2, -L and -Lsum (Lin 2004): mean F1 over samples, equal to rouge_score's to the last digit.

rouge_score is Google's port of ROUGE-1.5.5 and the oracle of the tests. Here a word is stemmed once, a reference
is prepared once for all systems, and longest common subsequences come from the bits of one integer.
The tokenizer knows a to z and 0 to 9 only: text in another script scores 0.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from itertools import chain, pairwise

from harness.metrics import Array, Caution, Metric
from harness.types import Generation, Sample

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
WRITTEN = True  # compares words or characters of answers that a model writes

# What each byte of lower-case text becomes: a to z, 0 to 9 and newlines stay, all others separate words.
KEPT = b"abcdefghijklmnopqrstuvwxyz0123456789\n"
LETTERS = bytes(byte if byte in KEPT else ord(" ") for byte in range(256))


def _is_dropped(text: str) -> bool:
    """Return whether the tokenizer does not know more than half of a text's letters."""
    if text.isascii():
        return False
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(letter.isascii() for letter in letters) < len(letters)


DROPPED = Caution(
    said="samples whose reference or answer is mostly in other letters than a to z: rouge's tokenizer drops such letters; "
    "use chrF",
    holds=lambda sample, generation: any(map(_is_dropped, (*sample.references, generation.text))),
)

# Remembered at most: words with their stems, and characters of references; some 20 MB each.
WORDS = 1 << 17
CHARACTERS = 1 << 20


def metric(*, stemmer: bool = True) -> Metric:
    """Return the four variants, with Porter's stemmer or without.

    ROUGE-Lsum's sentences end at newlines. Of several references the best counts, for each variant by itself.
    """

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return F1 of each variant, 0 to 1, and the number of samples."""
        return *_scorer(stemmer).best(sample.references, generation.text), 1.0

    def value(total: Array) -> Array:
        return 100.0 * total[..., :-1] / total[..., -1:]

    return Metric(
        names=NAMES,
        signature=f"rouge|score:f1|mean:samples|nrefs:var|refs:best|stemmer:{'yes' if stemmer else 'no'}"
        f"|split:newline|tok:default|nltk:{version('nltk')}|version:{version('rouge-score')}",
        unit="points",
        row=row,
        value=value,
        cautions=(DROPPED,),
    )


def reads(text: str) -> bool:
    """Return whether the tokenizer finds a word in the text; a reference without words scores 0, whatever the answer."""
    return bool(text.lower().encode("ascii", "replace").translate(LETTERS).strip())


@cache
def _scorer(stemmer: bool) -> "Scorer":
    """Return the only scorer of this process; nltk's stemmer is loaded when the first row is made."""
    return Scorer(porter() if stemmer else None)


@dataclass(frozen=True, slots=True)
class Reference:
    """A text as the places of its words: bits of an integer, the lowest bit for the first word."""

    size: int  # words
    places: dict[str, int]  # of each word
    lines: tuple[int, ...]  # the places of each line's words

    @classmethod
    def of(cls, lines: Iterable[Iterable[str]]) -> "Reference":
        """Return the reference of the words of each line."""
        places: dict[str, int] = {}
        masks, bit = [], 1
        for line in lines:
            first = bit
            for word in line:
                places[word] = places.get(word, 0) | bit
                bit <<= 1
            masks.append(bit - first)
        return cls(bit.bit_length() - 1, places, tuple(masks))


class Stems(dict[bytes, str]):
    """Stems of words, each found once: stemming a word takes as long as splitting and looking up a hundred."""

    def __init__(self, stem: Callable[[str], str] | None) -> None:
        self._stem = stem

    def __missing__(self, word: bytes) -> str:
        if len(self) >= WORDS:
            self.clear()
        text = word.decode("ascii")
        # rouge_score leaves words of up to three letters alone.
        self[word] = stem = sys.intern(self._stem(text) if self._stem and len(text) > 3 else text)
        return stem


class Scorer:
    """F1 of answers; stems and references are remembered, since the next system's answers need them again."""

    def __init__(self, stem: Callable[[str], str] | None) -> None:
        self._stems = Stems(stem)
        self._references: dict[str, Reference] = {}
        self._characters = 0  # in them

    def best(self, references: Iterable[str], answer: str) -> Sequence[float]:
        """Return the F1 of each variant, 0 to 1, for the reference with which that F1 is highest."""
        lines = self._lines(answer)
        each = [_f1s(self._reference(text), lines) for text in references]
        return each[0] if len(each) == 1 else [max(scores) for scores in zip(*each, strict=True)]

    def _reference(self, text: str) -> Reference:
        found = self._references.get(text)
        if found is None:
            self._characters += len(text)
            if self._characters > CHARACTERS:
                self._references.clear()
                self._characters = len(text)
            self._references[text] = found = Reference.of(self._lines(text))
        return found

    def _lines(self, text: str) -> list[list[str]]:
        """Return the stems of each line that has words."""
        stem = self._stems.__getitem__
        lines = text.lower().encode("ascii", "replace").translate(LETTERS).split(b"\n")
        return [stems for line in lines if (stems := [*map(stem, line.split())])]


def _f1s(reference: Reference, lines: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Return the F1 of the four variants; from here on a word of the answer stands for its places in the reference."""
    find = reference.places.get
    answer = [[find(word, 0) for word in line] for line in lines]
    words = answer[0] if len(answer) == 1 else [*chain.from_iterable(answer)]
    size, every = len(words), (1 << reference.size) - 1
    common = union = _common(words, every)
    if len(answer) > 1 or len(reference.lines) > 1:
        union = _shared(words, _union(answer, reference.lines))
    return (
        _f1(_shared(words, every), size, reference.size),
        _f1(_shared((a & b >> 1 for a, b in pairwise(words)), every), size - 1, reference.size - 1),
        _f1(common, size, reference.size),
        _f1(union, size, reference.size),
    )


def _f1(hits: int, of_answer: int, of_reference: int) -> float:
    if not hits:
        return 0.0
    # In rouge_score's order of operations: any other rounds differently.
    precision, recall = hits / of_answer, hits / of_reference
    return 2 * precision * recall / (precision + recall)


def _shared(places: Iterable[int], free: int) -> int:
    """Return how many words (or pairs of words) find a free place; a place is taken once."""
    hits = 0
    for where in places:
        found = where & free
        if found:
            free ^= found & -found
            hits += 1
    return hits


def _common(places: Iterable[int], every: int) -> int:
    """Return the length of the longest common subsequence (Hyyrö 2004): each further word clears a bit."""
    row = every
    for where in places:
        if where:
            equal = row & where
            row = (row + equal) | (row - equal)
    return (every & ~row).bit_count()


def _union(answer: Iterable[Sequence[int]], reference: Iterable[int]) -> int:
    """Return the places in the longest common subsequence of any line of the reference with any line of the answer."""
    union = 0
    for line in reference:
        for places in answer:
            union |= _subsequence(places, line)
    return union


def _subsequence(places: Iterable[int], line: int) -> int:
    """Return the places of a line's longest common subsequence with a line of the reference.

    Of several such subsequences rouge_score's is taken. rouge_score goes back through a table of lengths from its end:
    it takes two equal words; else it leaves the answer's word if the length is smaller without the reference's word,
    and the reference's word if not. Here a column of the table is an integer. A bit of it is 0 where the length is
    smaller one place before.
    """
    column, columns = line, [(0, 0)]
    for where in places:
        equal = where & line
        if equal:
            match = column & equal
            column = ((column + match) | (column - match)) & line
            columns.append((equal, equal | line ^ column))
        elif columns[-1][0]:  # several words in a row that the reference lacks count as one
            columns.append((0, line ^ column))
    taken, left = 0, line
    for equal, stops in reversed(columns):
        length = (left & stops).bit_length()
        last = 1 << length >> 1
        if equal & last:
            taken |= last
            left &= last - 1
        else:
            left &= (1 << length) - 1
    return taken


def porter() -> Callable[[str], str]:
    """Return `nltk.stem.porter.PorterStemmer().stem`, with as little of nltk loaded as possible.

    The whole of nltk imports half of scipy: 1.6 s of imports.
    """
    if "nltk" in sys.modules:
        return _nltk_stem()
    try:
        with _bare_packages("nltk", "nltk.stem"):
            return _nltk_stem()
    except (ImportError, AttributeError):
        return _nltk_stem()  # the stemmer of this version of nltk needs what its packages define


def _nltk_stem() -> Callable[[str], str]:
    stem: Callable[[str], str] = import_module("nltk.stem.porter").PorterStemmer().stem
    return stem


@contextmanager
def _bare_packages(top: str, *below: str) -> Iterator[None]:
    """Let modules be imported from packages whose own `__init__` is not run; forget both at the end."""
    try:
        for name in (top, *below):
            spec = find_spec(name)
            if spec is not None:
                sys.modules[name] = module_from_spec(spec)
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == top]:
            del sys.modules[name]
