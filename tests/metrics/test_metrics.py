import subprocess
import sys

import numpy as np
import pytest

from harness import metrics, plugins
from harness.errors import SuiteError, UnknownName
from harness.types import Generation, Sample


def judge(name, answer, *references):
    metric = metrics.load(name)
    row = metric.row(Sample(id="1", input="", references=references), Generation(sample_id="1", text=answer))
    return metric.value(np.array(row)).tolist()


@pytest.mark.parametrize("name", [name for name in plugins.own_names("metrics") if name != "evaluate"])
def test_every_metric_keeps_the_contract(name):
    metric = metrics.load(name)
    assert metrics.score_names(name) == metric.names
    assert metric.unit in ("points", "%") or (
        metric.unit == "raw" and name in ("mse", "margin", "perplexity", "theirs")
    )
    assert metric.signature.rpartition("|")[2].startswith("version:")
    assert "|nrefs:var|" in metric.signature or name in (
        "judge",
        "perplexity",
        "theirs",
        "xstest_rule",
    )  # which read none
    assert name in metrics.names()


@pytest.mark.parametrize("name", ["accuracy", "bleu", "chrf", "exact", "f1", "rouge"])
def test_a_right_text_has_all_points_and_an_empty_one_none(name):
    metric = metrics.load(name)
    right = judge(name, "the old cat sat down on a mat", "the old cat sat down on a mat")
    assert right == pytest.approx([100.0] * len(metric.names))
    assert judge(name, "", "the cat sat on the mat") == [0.0] * len(metric.names)


@pytest.mark.parametrize(
    ("answer", "references", "expected"),
    [
        ("Paris", ["paris "], 100),
        ("  PARIS\n", ["London", "paris"], 100),
        ("Paris.", ["Paris"], 0),
        ("STRASSE", ["straße"], 100),
    ],
)
def test_exact_trims_and_folds_case(answer, references, expected):
    assert judge("exact", answer, *references) == [expected]


@pytest.mark.parametrize(
    ("answer", "references", "expected"),
    [
        ("The cat, sat!", ["a cat sat"], 100),  # articles and punctuation do not count
        ("cat cat sat", ["cat sat mat"], 200 / 3),  # multiset overlap: 2 of 3 and 2 of 3
        ("in the big city of Oslo", ["Oslo"], 100 * 2 * 0.2 / 1.2),  # in, big, city, of, oslo
        ("red", ["blue", "dark red"], 200 / 3),  # the best reference
        ("don't", ["dont"], 100),  # punctuation goes without leaving a space
        ("A", ["A"], 100),  # nothing left on either side: SQuAD 2.0 calls it equal
        ("B", ["A"], 0),
        (" ", ["A"], 0),  # ours: a blank answer is never right
    ],
)
def test_f1_is_squads(answer, references, expected):
    assert judge("f1", answer, *references) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rogue", "tasks[0].metrics: no metric named 'rogue'; did you mean 'rouge'?"),
        ("evaluate", "write evaluate:NAME or evaluate:PATH"),
        ("rouge:1", "'rouge' takes nothing after a colon"),
    ],
)
def test_a_wrong_name_is_told_with_what_would_do(name, said):
    for ask in (metrics.load, metrics.score_names):
        with pytest.raises(SuiteError) as error:
            ask(name, "tasks[0].metrics")
        assert said in str(error.value)
    assert issubclass(UnknownName, SuiteError)


def test_naming_scores_loads_no_scorer():
    heavy = ("rouge_score", "sacrebleu", "nltk", "evaluate", "scipy", "pandas", "torch")
    program = (
        "import sys; from harness import metrics, stats\n"
        "from harness.tasks import rules\n"
        "for name in metrics.names():\n"
        "    metrics.score_names('evaluate:accuracy' if name == 'evaluate' else name)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_number_of_references_is_signed():
    one, two = (Sample(id="1", input="", references=references) for references in (("a",), ("a", "b")))
    exact = metrics.load("exact")
    assert "|nrefs:2|" in exact.signature_on([two, two])
    assert "|nrefs:var|" in exact.signature_on([one, two])
