import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from harness.metrics import load
from harness.types import Generation, Sample

WORDS = "run running runs cat cats dog's Émile 3.5 don't happily happiness the , . ! \n".split(" ")
TEXT = st.lists(st.sampled_from([*WORDS, "\n"]), max_size=14).map(" ".join) | st.text(max_size=30)
REFERENCES = st.lists(TEXT.filter(str.strip), min_size=1, max_size=3)
ROUGE = load("rouge")
ORACLE = rouge_scorer.RougeScorer(ROUGE.names, use_stemmer=True)


def score(*pairs: tuple[list[str], str]) -> np.ndarray:
    rows = [
        ROUGE.row(
            Sample(id="1", input="", references=tuple(references)), Generation(sample_id="1", text=text)
        )
        for references, text in pairs
    ]
    return ROUGE.value(np.array(rows).sum(axis=0))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(REFERENCES, TEXT), min_size=1, max_size=5))
@example([(["a cat\nran happily"], "")])
def test_scores_are_the_mean_f1_of_rouge_score(pairs):
    each = [ORACLE.score_multi(references, text) for references, text in pairs]
    expected = [100 * np.mean([one[name].fmeasure for one in each]) for name in ROUGE.names]
    np.testing.assert_allclose(score(*pairs), expected, rtol=0, atol=1e-9)


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


def test_the_signature_says_every_setting():
    samples = [Sample(id="1", input="", references=("a",))]
    assert ROUGE.signature_on(samples).startswith(
        "rouge|score:f1|mean:samples|nrefs:1|refs:best|stemmer:yes|split:newline|tok:default|nltk:"
    )
    assert ROUGE.signature.rpartition("|")[2] == "version:0.1.2"
