"""`exact_match` decides as lm-evaluation-harness's filters and metric do: `make_expected.py` wrote what they say."""

import json
from pathlib import Path

import pytest

from harness import metrics
from harness.plugins.choice import PluginChoice
from harness.suite.lm_eval_task import document
from harness.types import Generation, Sample

EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))["answers"]
TASK = {
    "task": "x",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "x.jsonl"}},
    "test_split": "test",
    "doc_to_text": "q",
    "doc_to_target": "a",
}


@pytest.mark.parametrize("number", range(len(EXPECTED["settings"])))
def test_answers_are_found_and_compared_as_there(number: int, tmp_path: Path) -> None:
    settings = EXPECTED["settings"][number]
    filters = [{"name": "f", "filter": [*settings["filter"], {"function": "take_first"}]}]
    task = {
        **TASK,
        "filter_list": filters,
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", **settings["match"]}],
    }
    (tmp_path / "x.yaml").write_text(json.dumps(task), encoding="utf-8")
    (named,) = document(tmp_path / "x.yaml").data["metrics"]
    if isinstance(named, dict):
        ((name, given),) = named.items()
        named = str(PluginChoice(name=name, settings=given))
    metric = metrics.load(named)
    assert metric.row is not None
    choices = {"choices": json.dumps(EXPECTED["choices"])}
    for text, hits in zip(EXPECTED["texts"], settings["hits"], strict=True):
        for reference, hit in zip(EXPECTED["references"], hits, strict=True):
            sample = Sample(id="s", input="", references=(reference,), metadata=choices)
            row = metric.row(sample, Generation(sample_id="s", text=text.strip()))
            assert row == (float(hit), 1.0), (text, reference)
