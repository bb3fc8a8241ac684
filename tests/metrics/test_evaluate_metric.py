"""Metrics of Hugging Face `evaluate`, by the path of a script; none needs a network."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HubError, SuiteError
from harness.metrics import NAMED, Metric, score_names
from harness.metrics import load as load_metric
from harness.types import Generation, Sample

pytest.importorskip("evaluate")

SCRIPT = """
import datasets
import evaluate

class Small(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features={features})

    def _compute(self, predictions, references):
        {body}
"""
TEXTS = 'datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})'
LISTS = TEXTS.replace(
    '"references": datasets.Value("string")', '"references": datasets.Sequence(datasets.Value("string"))'
)
NUMBERS = TEXTS.replace("string", "int32")
LENGTH = 'return {"words": sum(len(p.split()) for p in predictions) / len(references)}'
SAMPLES = [Sample(id=str(i), input="", references=(str(i),)) for i in range(3)]
ANSWERS = [Generation(sample_id=str(i), text=text) for i, text in enumerate(["0", "", "2 2"])]


def load(name: str) -> Metric:
    """As one that the user named himself."""
    return load_metric(name, code=NAMED)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read once, when imported


@pytest.fixture
def script(tmp_path):
    def write(name: str, features: str, body: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        path = folder / f"{name}.py"
        path.write_text(SCRIPT.format(features=features, body=body))
        return str(path)

    return write


def test_a_local_script_scores_the_whole_corpus(script):
    path = script("length_of_answer", TEXTS, LENGTH)
    metric = load(f"evaluate:{path}")
    assert (metric.row, metric.value, metric.unit) == (None, None, "raw")
    assert metric.corpus(SAMPLES, ANSWERS) == {"evaluate:length_of_answer": 1.0}
    assert metric.corpus(SAMPLES, ANSWERS) == {"evaluate:length_of_answer": 1.0}
    assert metric.names == score_names(f"evaluate:{path}") == ("evaluate:length_of_answer",)


def test_the_folder_of_a_script_will_do(script):
    path = script("by_folder", TEXTS, LENGTH)
    assert load(f"evaluate:{Path(path).parent}").corpus(SAMPLES, ANSWERS) == {"evaluate:by_folder": 1.0}


def test_the_signature_follows_the_script(script):
    one, two = (load(f"evaluate:{script(name, TEXTS, LENGTH)}") for name in ("one", "two"))
    other = load(f"evaluate:{script('other', TEXTS, LENGTH + ' # x')}")
    digest = [metric.signature.split("script:")[1].split("|")[0] for metric in (one, two, other)]
    assert digest[0] == digest[1] != digest[2]


def test_several_numbers_carry_their_keys(script):
    metric = load(f"evaluate:{script('several', TEXTS, 'return dict(a=1, b=2.5, text=str(3), flag=True)')}")
    assert metric.corpus(SAMPLES, ANSWERS) == {"evaluate:several.a": 1.0, "evaluate:several.b": 2.5}


def test_lists_of_one_number_a_sample_are_averaged(script):
    metric = load(f"evaluate:{script('lists', TEXTS, 'return dict(f1=[0.0, 0.5, 1.0], hash=str(1))')}")
    assert metric.corpus(SAMPLES, ANSWERS) == {"evaluate:lists": 0.5}


def test_all_references_are_given_where_a_metric_takes_several(script):
    samples = [Sample(id="1", input="", references=("a", "b", "c"))]
    metric = load(f"evaluate:{script('counts', f'[{TEXTS}, {LISTS}]', 'return dict(n=len(references[0]))')}")
    assert metric.corpus(samples, ANSWERS[:1]) == {"evaluate:counts": 3.0}


@pytest.mark.parametrize(
    ("features", "body", "samples", "said"),
    [
        (NUMBERS, LENGTH, SAMPLES, "the answer to sample '1' is '', and the metric takes int32"),
        (TEXTS, LENGTH, [Sample(id="0", input="", references=("a", "b"))] * 3, "takes one reference"),
        (TEXTS, "return dict(name=str(1))", SAMPLES, "gave no number"),
        (TEXTS, "raise RuntimeError('boom')", SAMPLES, "failed on 3 answers: RuntimeError: boom"),
        (TEXTS.replace('"references"', '"sources"'), "return {}", SAMPLES, "not texts or numbers"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(script, features, body, samples, said):
    metric = load(f"evaluate:{script('unfit' + str(abs(hash(said))), features, body)}")
    with pytest.raises(SuiteError) as error:
        metric.corpus(samples, ANSWERS)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_are_read_from_texts(script):
    samples = [Sample(id=str(i), input="", references=(str(i),)) for i in range(2)]
    answers = [Generation(sample_id="0", text=" 0\n"), Generation(sample_id="1", text="0")]
    body = "return dict(a=sum(p == r for p, r in zip(predictions, references)) / len(predictions))"
    assert load(f"evaluate:{script('ints', NUMBERS, body)}").corpus(samples, answers) == {
        "evaluate:ints": 0.5
    }


def test_a_hub_out_of_reach_is_told_in_a_line():
    with pytest.raises(HubError) as error:
        load("evaluate:no-such-metric-anywhere")
    assert "evaluate:PATH/no-such-metric-anywhere.py" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "said"), [("nowhere/x.py", "no such file"), ("{}/broken.py", "cannot be loaded")]
)
def test_a_bad_path_is_told_in_a_line(tmp_path, path, said):
    (tmp_path / "broken.py").write_text("import a_package_that_is_not_there\n")
    with pytest.raises(SuiteError) as error:
        load(f"evaluate:{path.format(tmp_path)}")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_without_the_package_a_line_says_how_to_get_it():
    program = (
        "import sys; sys.modules['evaluate'] = None\n"
        "from harness.metrics import NAMED, load\n"
        "try: load('evaluate:accuracy', code=NAMED)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "SuiteError evaluate:accuracy: needs a package; pip install 'finetune-harness[evaluate]'"
    )
