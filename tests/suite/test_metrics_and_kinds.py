"""A metric and a kind of task that do not fit together are refused when the suite is read."""

from pathlib import Path

import pytest

from harness.errors import SuiteError
from harness.suite.load import load_task

TASK = """\
name: t
kind: {kind}
source: {{uri: "file:data", columns: {{{columns}}}}}
prompt: "$input"
metrics: [{metric}]
primary: {score}
"""


def written(folder: Path, **parts: str) -> str:
    (folder / "t.yaml").write_text(TASK.format(**parts))
    return str(folder / "t.yaml")


def test_perplexity_scores_texts_alone(tmp_path: Path) -> None:
    parts = {"metric": "perplexity", "score": "bits_per_byte"}
    task = load_task(written(tmp_path, kind="perplexity", columns="input: text", **parts))
    assert task.primary == "bits_per_byte"
    with pytest.raises(
        SuiteError, match=r"t.yaml:5: metrics\[0\]: perplexity scores tasks of kind perplexity, and"
    ):
        load_task(written(tmp_path, kind="generate", columns="input: text, reference: sum", **parts))


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "rouge(stemmer=false)"])
def test_texts_without_references_are_scored_by_perplexity_alone(tmp_path: Path, metric: str) -> None:
    score = metric.replace("rouge", "rougeL")
    with pytest.raises(
        SuiteError, match="compares answers with references, and a task of kind perplexity has none"
    ):
        load_task(
            written(
                tmp_path, kind="perplexity", columns="input: text", metric=f'"{metric}"', score=f'"{score}"'
            )
        )
