"""BLEU and chrF against sacrebleu's own corpus scores."""

import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from harness.metrics import load
from harness.types import Generation, Sample

WORDS = ["the", "The", "cat", "sat", "on", "mat.", "3,000", "don't", "--", "ü", "?"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=20)
REFERENCE = TEXT.filter(str.strip)
Settings = dict[str, Any]
SETTINGS: list[tuple[str, type[BLEU] | type[CHRF] | type[TER], Settings]] = [
    ("bleu", BLEU, {}),
    ("bleu(lowercase=true,tokenize=zh)", BLEU, {"lowercase": True, "tokenize": "zh"}),
    ("bleu(tokenize=intl)", BLEU, {"tokenize": "intl"}),
    ("chrf", CHRF, {}),
    ("chrf(word_order=2)", CHRF, {"word_order": 2}),
    ("chrf(lowercase=true,word_order=1)", CHRF, {"lowercase": True, "word_order": 1}),
    ("ter", TER, {}),
    (
        "ter(case_sensitive=true,no_punct=true,normalized=true)",
        TER,
        {"case_sensitive": True, "no_punct": True, "normalized": True},
    ),
]
METRICS = {name: (load(name), kind, settings) for name, kind, settings in SETTINGS}


def corpora(references):
    return st.lists(st.tuples(references, TEXT), min_size=1, max_size=6)


def total(metric, pairs):
    rows = [
        metric.row(
            Sample(id="1", input="", references=tuple(references)), Generation(sample_id="1", text=text)
        )
        for references, text in pairs
    ]
    return np.array(rows).sum(axis=0)


def oracle(kind, pairs):
    width = max(len(references) for references, _ in pairs)
    streams = [[r[i] if i < len(r) else None for r, _ in pairs] for i in range(width)]
    judge = METRICS[kind][1](**METRICS[kind][2])
    return judge.corpus_score([text for _, text in pairs], streams).score, str(judge.get_signature())


@pytest.mark.slow
@pytest.mark.parametrize("kind", METRICS)
@settings(max_examples=150, deadline=None)
@given(pairs=corpora(st.lists(REFERENCE, min_size=1, max_size=3)))
@example(pairs=[(["the cat sat on the mat"], "")])  # no answer
@example(pairs=[(["the cat"], "the cat")])  # no 3-grams at all
@example(pairs=[(["the cat sat on the mat"], "on the dog sat by cat")])  # two orders without a match
@example(pairs=[(["x"], "y z w v u")])  # no match at all
@example(pairs=[(["a"], "abcdefgh"), (["abcdefgh"], "a")])  # orders that one side lacks
def test_scores_and_signatures_are_sacrebleus(kind, pairs):
    metric = METRICS[kind][0]
    expected, signature = oracle(kind, pairs)
    assert metric.value(total(metric, pairs)) == pytest.approx([expected], abs=1e-9)
    samples = [Sample(id="1", input="", references=tuple(references)) for references, _ in pairs]
    assert metric.signature_on(samples).partition("|")[2] == signature


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.integers(0, 3)] * 4, st.integers(0, 20), st.integers(1, 20)).map(
            lambda t: [*sorted(t[:4], reverse=True), *[max(t[4] - i, 0) for i in range(4)], t[4], t[5]]
        ),
        min_size=1,
        max_size=8,
    )
)
def test_many_totals_at_once_are_sacrebleus_one_by_one(totals):
    """Resampled totals too, some of which no corpus of whole sentences has."""
    found = METRICS["bleu"][0].value(np.array(totals, dtype=float))
    for row, (score,) in zip(totals, found, strict=True):
        correct, possible = [min(c, t) for c, t in zip(row[:4], row[4:8], strict=True)], row[4:8]
        if correct == row[:4]:
            expected = BLEU.compute_bleu(list(correct), list(possible), row[8], row[9], smooth_method="exp")
            assert score == pytest.approx(expected.score, abs=1e-9)


@pytest.mark.parametrize("kind", METRICS)
def test_any_leading_shape_is_kept(kind):
    metric = METRICS[kind][0]
    one = total(metric, [(["the cat sat on the mat"], "the cat sat on a mat")])
    many = metric.value(np.broadcast_to(one, (3, 2, len(one))))
    assert many.shape == (3, 2, 1)
    np.testing.assert_array_equal(many, np.broadcast_to(metric.value(one), (3, 2, 1)))


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        total(METRICS["bleu"][0], [(["the cat ."], "the cat .")] * 120)
    assert not caplog.records
