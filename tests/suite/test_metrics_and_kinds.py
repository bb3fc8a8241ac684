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


KEYS = """\
name: t
kind: {kind}
source:
  uri: file:data
  columns: {{{columns}}}
  labels: [{labels}]
prompt: "$input"
metrics: [{metric}]
primary: {score}
{more}
"""


@pytest.mark.parametrize(
    ("kind", "columns", "labels", "metric", "more", "message"),
    [
        ("choice", "input: q, choices: o, reference: a", "", "accuracy", "decode: {temperature: 0.5}",
         r"t.yaml:10: decode.temperature: a task of this kind \(choice\) writes no answer"),
        ("classify", "input: q, reference: a", "x, y", "accuracy", "decode: {max_new_tokens: 3}",
         "t.yaml:10: decode.max_new_tokens: a task of this kind"),
        ("classify", "input: q, reference: a", "x, y", "accuracy: {by: against}", "",
         r"t.yaml:8: metrics\[0\]: accuracy\(by=against\) compares each likelihood with another one"),
        ("choice", "input: q, choices: o, reference: a", "", "accuracy: {by: against}", "",
         r"say `settings: \{unconditional: true\}`"),
        ("prefer", "input: q", "", "accuracy: {by: against}", "", r"say `settings: \{against_base: true\}`"),
        ("choice", "input: q, choices: o, reference: a", "x, y", "accuracy", "",
         "t.yaml:6: source.labels: the kind 'choice' reads no labels; leave the key out"),
        ("prefer", "input: q", "x, y", "accuracy", "", "the kind 'prefer' reads no labels"),
        ("regress", "input: q, reference: a", '"1", "2"', "mse", "",
         "t.yaml:6: source.labels: a task of kind regress asks for a number, which has no labels"),
    ],
)  # fmt: skip
def test_a_key_that_would_move_nothing_is_refused(
    kind: str, columns: str, labels: str, metric: str, more: str, message: str, tmp_path: Path
) -> None:
    name = metric.partition(":")[0]
    score = '"accuracy(by=against)"' if "against" in metric else name
    written = metric if ":" not in metric else f"{{{metric}}}"
    path = tmp_path / "t.yaml"
    path.write_text(
        KEYS.format(kind=kind, columns=columns, labels=labels, metric=written, score=score, more=more)
    )
    with pytest.raises(SuiteError, match=message):
        load_task(str(path))


@pytest.mark.parametrize(
    ("kind", "columns", "labels", "metric", "more"),
    [
        ("choice", "input: q, choices: o, reference: a", "", "accuracy", 'decode: {stop: ["."]}'),
        ("choice", "input: q, choices: o, reference: a", "", "{accuracy: {by: against}}",
         "settings: {unconditional: true}"),
        ("prefer", "input: q", "", "{accuracy: {by: against}}", "settings: {against_base: true}"),
        ("classify", "input: q, reference: a", "x, y", "accuracy", "settings: {by: write}\ndecode: {temperature: 0.5}"),
        ("regress", "input: q, reference: a", "", "mse", "decode: {max_new_tokens: 3}"),
    ],
)  # fmt: skip
def test_a_key_that_moves_something_is_read(
    kind: str, columns: str, labels: str, metric: str, more: str, tmp_path: Path
) -> None:
    score = '"accuracy(by=against)"' if "against" in metric else metric
    path = tmp_path / "t.yaml"
    path.write_text(
        KEYS.format(kind=kind, columns=columns, labels=labels, metric=metric, score=score, more=more)
    )
    assert load_task(str(path)).kind == kind
