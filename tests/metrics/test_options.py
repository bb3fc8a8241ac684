"""Metrics of options and of likelihoods against numpy, scikit-learn and lm-evaluation-harness's formulas."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from harness.errors import SuiteError
from harness.metrics import load
from harness.types import Generation, Option, Sample


def chosen(logprobs, *, tokens=(), sizes=(), against=(), names="ABCDEFGH"):
    """An answer with these options, as `kinds.likeliest` makes it."""
    n = len(logprobs)
    options = tuple(
        Option(text=name, logprob=logprob, tokens=token, bytes=size, against=other)
        for name, logprob, token, size, other in zip(
            names[:n], logprobs, tokens or [1] * n, sizes or [1] * n, against or [None] * n, strict=True
        )
    )
    best = max(options, key=lambda option: option.logprob)
    return Generation(sample_id="1", text=best.text, options=options)


def right(*references):
    return Sample(id="1", input="", references=references)


def judge(name, pairs):
    metric = load(name)
    return metric.value(np.array([metric.row(*pair) for pair in pairs]).sum(axis=0)).tolist()


# A as it stands, B by token, C by byte, D against what it is compared with.
FOUR = chosen([-2, -3, -4, -5], tokens=[1, 6, 2, 2], sizes=[2, 4, 40, 5], against=[-1, -2, -3, -9])


@pytest.mark.parametrize(("by", "best"), [("answer", "A"), ("token", "B"), ("byte", "C"), ("against", "D")])
def test_accuracy_chooses_as_it_is_told(by, best):
    found = {name: judge(f"accuracy(by={by})", [(right(name), FOUR)])[0] for name in "ABCD"}
    assert found == {name: 100.0 * (name == best) for name in "ABCD"}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-50, 0), st.integers(1, 30), st.integers(1, 90), st.floats(-50, 0)),
        min_size=2,
        max_size=5,
        unique_by=(lambda option: option[0], lambda option: option[0] / option[2]),
    ),
    st.integers(0, 4),
)
def test_accuracy_is_lm_evals(options, gold):
    """`acc`, `acc_norm` (with bytes for characters) and `acc_mutual_info` are hits of argmax (lm_eval/api/task.py)."""
    gold %= len(options)
    lls, _, sizes, alone = map(np.array, zip(*options, strict=True))
    answer = chosen(lls.tolist(), sizes=sizes.tolist(), against=alone.tolist())
    expected = {"answer": lls, "byte": lls / sizes, "against": lls - alone}
    for by, values in expected.items():
        if len(set(values)) == len(values):
            hit = float(np.argmax(values) == gold)
            assert judge(f"accuracy(by={by})", [(right("ABCDE"[gold]), answer)]) == [100 * hit]


@pytest.mark.parametrize("by", ["answer", "token", "byte", "against"])
def test_an_answer_without_options_is_judged_by_its_text(by):
    said = [
        (right("yes"), Generation(sample_id="1", text=" yes\n")),
        (right("no"), Generation(sample_id="1", text="")),
    ]
    assert judge(f"accuracy(by={by})", said) == [50.0]


@pytest.mark.parametrize("by", ["token", "byte", "against"])
def test_a_tie_is_a_miss_and_counted(by):
    tied = chosen([-1.0, -1.0])
    assert judge(f"accuracy(by={by})", [(right("A"), tied)]) == [0.0]
    cautions = load(f"accuracy(by={by})").cautions
    assert [caution.holds(right("A"), tied) for caution in cautions] == [True] * len(cautions)
    assert len(cautions) == (2 if by == "against" else 1)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.floats(-20, 0), min_size=2, max_size=6), st.integers(0, 5)),
        min_size=1,
        max_size=40,
    )
)
def test_probability_and_calibration_are_numpys(answers):
    answers = [(logprobs, gold % len(logprobs)) for logprobs, gold in answers]
    softmax = [np.exp(each) / np.exp(each).sum() for each, _ in answers]
    pairs = [(right("ABCDEF"[gold]), chosen(logprobs)) for logprobs, gold in answers]
    expected = np.mean([shares[gold] for shares, (_, gold) in zip(softmax, answers, strict=True)])
    assert judge("probability", pairs) == pytest.approx([100 * expected], rel=1e-12, abs=1e-12)
    sure = np.array([shares.max() for shares in softmax])
    hits = np.array([float(np.argmax(logprobs) == gold) for logprobs, gold in answers])
    edges = np.linspace(0, 1, 16)
    if any(abs(sure[:, None] - edges[None]).ravel() < 1e-12):
        return  # on a border rounding decides
    bins = np.digitize(sure, edges[1:-1], right=True)
    distance = sum(abs(sure[bins == b].sum() - hits[bins == b].sum()) for b in range(15)) / len(sure)
    assert judge("calibration", pairs) == pytest.approx([100 * distance], rel=1e-12, abs=1e-12)


def test_calibration_is_that_of_scikit_learns_curve():
    random = np.random.default_rng(2)
    sure = random.uniform(0.5, 1, 300)
    hits = random.uniform(size=300) < sure**2
    pairs = [
        (right("A" if hit else "B"), chosen([math.log(share), math.log(1 - share)]))
        for share, hit in zip(sure, hits, strict=True)
    ]
    shares, means = calibration_curve(hits, sure, n_bins=10, strategy="uniform")
    counts = np.histogram(sure, np.linspace(0, 1, 11))[0]
    expected = np.sum(counts[counts > 0] * np.abs(shares - means)) / 300
    assert judge("calibration(bins=10)", pairs) == pytest.approx([100 * expected], rel=1e-9)


def test_wrong_bins_are_refused():
    with pytest.raises(SuiteError, match="calibration: bins: found 0; give a number from 1"):
        load("calibration(bins=0)")


@pytest.mark.parametrize("name", ["probability", "calibration"])
def test_an_answer_without_options_counts_as_certain_and_is_counted(name):
    said = Generation(sample_id="1", text="yes")
    assert judge(name, [(right("yes"), said)]) == [100.0 if name == "probability" else 0.0]
    assert judge(name, [(right("no"), said)]) == [0.0 if name == "probability" else 100.0]
    assert [caution.holds(right("no"), said) for caution in load(name).cautions] == [True]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("no", "no pain", "A"), True),
        (("no pain", "no", "A"), True),
        (("no", "north", "A"), False),
        (("A", "no", "no pain"), False),
    ],
)
def test_an_option_that_begins_another_is_remarked(texts, said):
    """The first option is the right one. By sum of log-likelihoods an option is never less likely than its continuation."""
    caution = load("accuracy").cautions[1]
    answer = chosen([-2, -3, -4], names=texts, tokens=[len(text.split()) for text in texts])
    assert caution.holds(right(texts[0]), answer) is said
    of_head = replace(answer, options=tuple(replace(option, tokens=0) for option in answer.options))
    assert not caution.holds(right(texts[0]), of_head)
    by_letter = replace(answer, options=tuple(replace(option, tokens=1) for option in answer.options))
    assert not caution.holds(right(texts[0]), by_letter)


def test_the_margin_is_a_mean_in_nats():
    pairs = [
        (right("A"), chosen([-10, -14], tokens=[5, 7])),
        (right("A"), chosen([-10, -9], tokens=[5, 3])),
        (right("A"), Generation(sample_id="1", text="")),
    ]
    assert judge("margin", pairs) == pytest.approx([(4 - 1 + 0) / 3])
    assert judge("margin(per=token)", pairs) == pytest.approx([((-2 + 2) + (-2 + 3) + 0) / 3])
    beyond = (right("A"), chosen([-10, -14], against=[-11, -17]))  # raised by 1, and the wrong one by 3
    assert judge("margin(per=against)", [beyond]) == pytest.approx([1 - 3])
    assert judge("margin(per=against)", pairs[:1]) == [0]  # a base, which is compared with nothing
    ties, empty = load("margin").cautions
    assert [ties.holds(*pair) for pair in pairs] == [False, False, False]
    assert ties.holds(right("A"), chosen([-3, -3]))
    assert [empty.holds(*pair) for pair in pairs] == [False, False, True]


TEXTS = ["A text of six words, äöü.", "  another\n\none ", "x"]


def test_perplexities_are_lm_evals():
    """`weighted_perplexity` and `bits_per_byte` of lm_eval/api/metrics.py, with the weights of its wikitext task."""
    logprobs, tokens = [-30.5, -8.25, -4.0], [11, 5, 1]
    pairs = [
        (
            Sample(id="1", input=text, references=()),
            Generation(sample_id="1", text="", logprob=logprob, output_tokens=count),
        )
        for text, logprob, count in zip(TEXTS, logprobs, tokens, strict=True)
    ]
    words = sum(len(re.split(r"\s+", text)) for text in TEXTS)
    size = sum(len(text.encode("utf-8")) for text in TEXTS)
    expected = [
        -sum(logprobs) / size / math.log(2),
        math.exp(-sum(logprobs) / words),
        math.exp(-sum(logprobs) / sum(tokens)),
    ]
    assert judge("perplexity", pairs) == pytest.approx(expected, rel=1e-12)
    assert load("perplexity").names == ("bits_per_byte", "word_perplexity", "token_perplexity")
    assert load("perplexity").better == "lower"
    refused = (pairs[0][0], Generation(sample_id="1", text="", finish="refused"))
    assert judge("perplexity", [*pairs, refused]) == pytest.approx(expected, rel=1e-12)
    assert load("perplexity").cautions[0].holds(*refused)
    assert all(map(math.isnan, judge("perplexity", [refused])))


def test_perplexity_needs_texts_that_were_read():
    with pytest.raises(SuiteError, match="sample '1' has an answer, and no likelihood of its text"):
        judge("perplexity", [(right("x"), Generation(sample_id="1", text="an answer"))])


def test_a_text_without_blanks_has_a_finite_word_perplexity_and_a_caution():
    sample = Sample(id="1", input="字" * 3_000, references=())
    read = Generation(sample_id="1", text="", logprob=-9_000.0, output_tokens=3_000)
    assert all(map(math.isfinite, judge("perplexity", [(sample, read)])))
    assert load("perplexity").cautions[1].holds(sample, read)
    assert not load("perplexity").cautions[1].holds(Sample(id="1", input="two words", references=()), read)


def test_the_count_of_answers_without_options_sends_nobody_to_another_kind_of_task():
    """A trivial rule's answers have none on a task of every kind."""
    (caution,) = load("probability").cautions
    assert "a trivial rule's" in caution.said
    assert "ask a task" not in caution.said
