"""Metrics over classes against scikit-learn."""

import warnings
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from harness import stats
from harness.metrics import load
from harness.tasks.labels import label_code
from harness.types import Generation, Sample

LABELS = ["negative", "positive", "neutral", "mixed"]
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60)


def rows(metric, pairs):
    return np.array(
        [
            metric.row(Sample(id="1", input="", references=(wanted,)), Generation(sample_id="1", text=given))
            for wanted, given in pairs
        ]
    )


def score(name, pairs):
    metric = load(name)
    return metric.statistic(rows(metric, pairs))[0]


@settings(max_examples=50, deadline=None)
@given(PAIRS)
@example([("positive", "positive")])
@example([("positive", "negative"), ("positive", "positive")])
def test_scores_are_scikit_learns(pairs):
    wanted, found = zip(*pairs, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class without a reference
        expected = {
            "balanced_accuracy": oracle.balanced_accuracy_score(wanted, found),
            "f1_macro": oracle.f1_score(wanted, found, labels=sorted(set(wanted)), average="macro"),
            "matthews": oracle.matthews_corrcoef(wanted, found),
        }
        if set(found) <= set(wanted):
            assert oracle.f1_score(wanted, found, average="macro") == pytest.approx(expected["f1_macro"])
    for name, value in expected.items():
        # float64 sums of at most 60 parts
        assert score(name, pairs) == pytest.approx(100 * value, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "matthews"])
def test_the_bootstrap_is_scikit_learns_on_the_same_draws(name):
    random = np.random.default_rng(3)
    pairs = [*zip(random.choice(LABELS, 40), random.choice(LABELS, 40), strict=True)]
    metric = load(name)
    drawn = stats.bootstrap(rows(metric, pairs), metric.formula, resamples=60, seed=5)[:, 0]
    (counts,) = stats.draws.counts(40, 60, 5)
    for count, found in zip(counts, drawn, strict=True):
        again = [pair for pair, times in zip(pairs, count.astype(int), strict=True) for _ in range(times)]
        assert found == pytest.approx(score(name, again), rel=1e-12)


def test_an_answer_that_is_no_label_is_a_miss_and_no_class():
    pairs = [("a", "a"), ("a", "I think a"), ("b", "b"), ("b", "who knows")]
    assert score("f1_macro", pairs) == pytest.approx(100 * 2 / 3)  # precision 1, recall 1/2 in both classes
    assert score("balanced_accuracy", pairs) == 50


def test_blanks_around_labels_do_not_count_and_any_reference_is_right():
    metric = load("f1_macro")
    sample = Sample(id="1", input="", references=("x", "y"))
    assert len(set(metric.row(sample, Generation(sample_id="1", text=" y\n")))) == 1
    assert len(set(metric.row(sample, Generation(sample_id="1", text="z")))) == 2


def test_codes_of_labels_are_whole_numbers_that_stay():
    first_52_bits = int(sha256(b"positive").hexdigest()[:13], 16)
    assert label_code("positive") == label_code(" positive ") == first_52_bits
    codes = {label_code(f"label {number}") for number in range(20_000)}
    assert len(codes) == 20_000
    assert all(code == int(code) < 2**52 for code in codes)


@pytest.mark.parametrize("constant", ["wanted", "given"])
def test_a_constant_side_has_no_matthews_correlation(constant):
    pairs = [("a", "b"), ("a", "a")] if constant == "wanted" else [("a", "b"), ("b", "b")]
    assert score("matthews", pairs) == 0
