import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

from harness.metrics import load, rouge
from harness.types import Generation, Sample

ROUGE = load("rouge")
ORACLES = {stemmer: rouge_scorer.RougeScorer(ROUGE.names, use_stemmer=stemmer) for stemmer in (True, False)}
SCORERS = {True: rouge.Scorer(PorterStemmer().stem), False: rouge.Scorer(None)}

# Few words, so that they repeat and common subsequences of equal length compete.
WORDS = (
    "run running runs cat cats dog's Émile 3.5 don't happily happiness dying İstanbul K the , . ! a".split()
)
GAPS = st.sampled_from([" ", " ", " ", "\n", "", "\n\n", " \n ", "\r\n", "\t", "…", "\x1c"])
SENTENCES = st.lists(st.tuples(st.sampled_from(WORDS), GAPS), max_size=40)
REPEATS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([" ", " ", " ", "\n"])), max_size=60)
TEXT = SENTENCES.map(lambda parts: "".join(map("".join, parts))) | st.text(max_size=60)
TEXT |= REPEATS.map(lambda parts: "".join(map("".join, parts))) | st.text("ab \nÀ", max_size=60)


def rows(*pairs: tuple[list[str], str]) -> np.ndarray:
    return np.array(
        [
            ROUGE.row(
                Sample(id="1", input="", references=tuple(references)), Generation(sample_id="1", text=text)
            )
            for references, text in pairs
        ]
    )


def score(*pairs: tuple[list[str], str]) -> np.ndarray:
    return ROUGE.value(rows(*pairs).sum(axis=0))


def oracle(references: list[str], text: str, stemmer: bool = True) -> list[float]:
    scores = ORACLES[stemmer].score_multi(references, text)
    return [float(scores[name].fmeasure) for name in ROUGE.names]


@pytest.mark.slow
@pytest.mark.parametrize("stemmer", [True, False])
@settings(max_examples=400, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=3), TEXT)
def test_any_text_scores_what_rouge_score_gives_to_the_last_digit(stemmer, references, text):
    assert list(SCORERS[stemmer].best(references, text)) == oracle(references, text, stemmer)


@pytest.mark.parametrize("stemmer", [True, False])
@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("", ""),
        ("", "a cat"),
        ("a cat", ""),
        ("\n", "\n\n"),
        ("a", "a"),  # no pair of words
        ("a b", "b a"),
        ("a b a b a b", "b a b a b a"),  # common subsequences of equal length
        ("a b\nb a", "b a\na b"),
        ("a b c d\nd c b a", "d a c b\nb c a d\na\nd"),
        ("b b", "b x\nb"),  # "x", which the reference lacks, makes the first line take the first "b"
        ("the class trip\ngoes to Tokyo", "trip class the\nTokyo to trip goes the"),
        ("a\n\n \n…\nb", "b\r\na"),  # lines without a word
        ("one two three", "one\ntwo\nthree"),  # one line against many
        ("one\ntwo\nthree", "three two one"),
        ("a a a a", "a a"),  # no more hits than there are words
        ("a a\na a a", "a\na a a a a\na"),
        ("skies dying innings news", "sky die inning new"),  # nltk's irregular words
        ("cats ran", "cat ran"),  # four letters are stemmed, three are not
        ("has gas", "ha ga"),
        ("was\u2028were", "was were"),  # only "\n" ends a sentence
        ("Émile mangé", "mile mang"),  # letters past z part words
        ("ΟΔΟΣ a", "οδος a"),
        ("K İ ß", "k i ss"),  # the Kelvin sign is a k in lower case, a dotted capital I is an i and a dot
        ("你好 abc", "你好 abc"),
        ("a\ud800b", "a b"),  # half a surrogate pair
        ("a\x00b\x85c\x1cd", "a b c d"),
        ("don't 3,000.50 x_y", "don t 3 000 50 x y"),
        ("word " * 300, "word\n" * 200),  # longer than a machine word, many times over
        (" ".join(map(str, range(200))), " ".join(map(str, range(199, -1, -3)))),
        ("\n".join(f"a{i} b c{i % 7}" for i in range(40)), "\n".join(f"c{i % 5} a{i} b" for i in range(40))),
    ],
)
def test_nasty_cases_score_what_rouge_score_gives(stemmer, reference, text):
    assert list(SCORERS[stemmer].best([reference], text)) == oracle([reference], text, stemmer)
    assert list(SCORERS[stemmer].best([text], reference)) == oracle([text], reference, stemmer)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.lists(TEXT, min_size=1, max_size=3), TEXT), min_size=1, max_size=5))
@example([(["a cat\nran happily"], "")])
def test_scores_are_the_mean_f1_of_rouge_score(pairs):
    expected = [oracle(references, text) for references, text in pairs]
    found = rows(*pairs)
    assert found.tolist() == [[*each, 1.0] for each in expected]
    np.testing.assert_allclose(score(*pairs), 100 * np.mean(expected, axis=0), rtol=0, atol=1e-12)


def test_the_best_reference_is_taken_for_each_variant():
    first, second = "a b c d x y", "d c b a"
    together = score(([first, second], "a b c d"))
    np.testing.assert_allclose(
        together, np.maximum(score(([first], "a b c d")), score(([second], "a b c d")))
    )
    assert together[0] == 100  # rouge1 by the second
    assert together[1] < 100  # rouge2 by the first


@pytest.mark.parametrize("text", ["", " ", "\n", "…", "你好"])
def test_an_answer_without_words_scores_zero(text):
    assert score((["a cat ran"], text)).tolist() == [0, 0, 0, 0]


def test_lsum_ends_sentences_at_newlines():
    reference, answer = "one two\nthree four", "three four\none two"
    _, _, rouge_l, rouge_lsum = score(([reference], answer))
    assert rouge_l == pytest.approx(50)
    assert rouge_lsum == pytest.approx(100)


def test_what_is_forgotten_is_found_again():
    """More words and references than are remembered: scores stay, and what is remembered stays small."""
    scorer = rouge.Scorer(lambda word: word[:-1])
    first = list(scorer.best(["running cats"], "running dogs"))
    long = "x" * (rouge.CHARACTERS // 8)
    for number in range(20):
        scorer.best([f"{long}{number}"], " ".join(f"w{number}x{n}" for n in range(rouge.WORDS // 8)))
    assert len(scorer._stems) <= rouge.WORDS
    assert sum(map(len, scorer._references)) <= rouge.CHARACTERS
    assert list(scorer.best(["running cats"], "running dogs")) == first == [0.5, 0.0, 0.5, 0.5]


def test_the_signature_says_every_setting():
    samples = [Sample(id="1", input="", references=("a",))]
    assert ROUGE.signature_on(samples).startswith(
        "rouge|score:f1|mean:samples|nrefs:1|refs:best|stemmer:yes|split:newline|tok:default|nltk:"
    )
    assert ROUGE.signature.rpartition("|")[2] == "version:0.1.2"


# nltk's stemmer alone.


def run(program: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_scoring_loads_nltks_stemmer_and_none_of_its_packages():
    program = (
        "import sys; from harness.metrics import load; from harness.types import Generation, Sample\n"
        "row = load('rouge').row\n"
        "print(row(Sample(id='1', input='', references=('running',)), Generation(sample_id='1', text='runs')))\n"
        "print([name for name in ('nltk', 'scipy', 'rouge_score', 'pandas') if name in sys.modules])\n"
        "import nltk; print(nltk.PorterStemmer().stem('happily'), nltk.stem is sys.modules['nltk.stem'])"
    )
    assert run(program).splitlines() == ["(1.0, 0.0, 1.0, 1.0, 1.0)", "[]", "happili True"]


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "import nltk; "])
def test_the_stemmer_is_nltks_own(before):
    program = (
        f"{before}from harness.metrics.rouge import porter; stem = porter()\n"
        "import nltk.stem.porter as nltk, inspect\n"
        "print(inspect.getsource(stem.__func__) == inspect.getsource(nltk.PorterStemmer.stem))\n"
        "print(stem.__self__.mode == nltk.PorterStemmer().mode)"
    )
    assert run(program).split() == ["True", "True"]


def test_an_nltk_whose_stemmer_needs_its_package_is_loaded_whole(tmp_path):
    package = tmp_path / "nltk"
    (package / "stem").mkdir(parents=True)
    (package / "__init__.py").write_text("ENDING = 'ing'\n")
    (package / "stem" / "__init__.py").touch()
    (package / "stem" / "porter.py").write_text(
        "from nltk import ENDING\n"
        "class PorterStemmer:\n"
        "    def stem(self, word):\n"
        "        return word.removesuffix(ENDING)\n"
    )
    program = (
        "import sys; sys.path.insert(0, '.'); from harness.metrics.rouge import porter\n"
        "print(porter()('running'), 'nltk' in sys.modules)"
    )
    assert run(program, tmp_path) == "runn True"


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("the cat", "a dog", False),
        ("кошка сидит", "the cat", True),
        ("the cat", "猫が座った", True),
        ("ein schönes Mädchen", "élève", False),  # most letters are read
        ("1 + 1 = 2 …", "→", False),  # no letters at all
    ],
)
def test_texts_in_other_letters_are_counted(reference: str, answer: str, expected: bool) -> None:
    (caution,) = load("rouge").cautions
    sample = Sample(id="1", input="", references=(reference,))
    assert caution.holds(sample, Generation(sample_id="1", text=answer)) is expected
    assert "use chrF" in caution.said
