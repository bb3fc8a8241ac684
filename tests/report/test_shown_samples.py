"""What pages show of a single sample, also under metrics whose score says nothing about one sample."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import metrics, plugins
from harness.report.page import _axis_beginning, _axis_end, build
from harness.report.task_samples import TaskSamples
from harness.report.unasked import unasked
from harness.results import TaskFacts, read
from harness.types import Generation, Note, Option, Sample, System

A = System(model="a")


def shown(name: str, *pairs: tuple[str, Generation]) -> TaskSamples:
    metric = metrics.load(name)
    assert metric.row is not None
    rows = [
        metric.row(Sample(id="s", input="", references=(wanted,)), generation) for wanted, generation in pairs
    ]
    return TaskSamples(
        task=TaskFacts(name="t", primary=metric.names[0], metrics=(name,)),
        ids=tuple(map(str, range(len(pairs)))),
        metric=metric,
        rows={A: np.array(rows, dtype=np.float64)},
    )


def text(answer: str) -> Generation:
    return Generation(sample_id="s", text=answer)


@pytest.mark.parametrize(("name", "title"), [
    ("matthews", "Matthews correlation"), ("f1_macro", "Macro F1"), ("balanced_accuracy", "Balanced accuracy"),
])  # fmt: skip
def test_under_a_metric_over_classes_a_sample_is_right_or_wrong(name: str, title: str) -> None:
    found = shown(name, ("a", text("a")), ("a", text("b")), ("b", text(" b ")), ("b", text("none")))
    assert found.values[A].tolist() == [100, 0, 100, 0]
    assert (found.shown.name, found.shown.digits, found.shown.better) == ("Right answer", 0, "higher")
    assert found.shown.instead == (
        f"{title} has no value for a single sample. Shown instead: 100 for a right answer, 0 for a wrong one."
    )


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_under_a_correlation_a_sample_is_some_way_from_its_reference(name: str) -> None:
    found = shown(name, ("1.5", text("4")), ("2", text("2")), ("3", text("no idea")))
    assert found.values[A].tolist() == pytest.approx([2.5, 0, np.nan], nan_ok=True)
    assert (found.shown.name, found.shown.digits, found.shown.better) == (
        "Distance from the reference",
        3,
        "lower",
    )
    assert "a single sample" in found.shown.instead


def test_under_calibration_a_sample_is_some_way_from_certainty() -> None:
    """Probabilities of three quarters and one: the likelier option is right, then wrong."""
    options = tuple(
        Option(text=one, logprob=logprob, tokens=1, bytes=1)
        for one, logprob in (("a", np.log(0.75)), ("b", np.log(0.25)))
    )
    likely = Generation(sample_id="s", text="a", options=options)
    found = shown("calibration", ("a", likely), ("b", likely))
    assert found.values[A].tolist() == pytest.approx([25, 75])
    assert found.shown.better == "lower" and found.shown.instead


def test_a_statistic_that_says_nothing_of_samples_shows_none_and_says_so() -> None:
    found = shown("matthews", ("a", text("a")), ("b", text("a")))
    assert found.metric is not None
    alone = replace(found, metric=replace(found.metric, of_sample=None))
    assert alone.values == {}
    assert alone.shown.instead == "Matthews correlation has no value for a single sample."


@pytest.mark.parametrize("name", [name for name in plugins.own_names("metrics") if name != "evaluate"])
def test_every_metric_that_is_no_function_of_sums_says_what_is_shown_of_a_sample(name: str) -> None:
    metric = metrics.load(name)
    assert metric.statistic is None or metric.of_sample is not None


def test_a_sample_without_a_row_has_no_number() -> None:
    found = shown("matthews", ("a", text("a")), ("b", text("a")))
    rows = found.rows[A].copy()
    rows[1] = np.nan
    assert replace(found, rows={A: rows}).values[A].tolist() == pytest.approx([100, np.nan], nan_ok=True)


@pytest.mark.parametrize(("name", "counted"), [("spearman", False), ("exact", True)])
def test_samples_are_counted_only_where_a_single_sample_has_a_score(
    example: Path, name: str, counted: bool
) -> None:
    """A correlation of one sample does not exist: that none of them moved says nothing."""
    result = read(example)
    facts = next(task for task in result.suite.tasks if task.name == "dialogues")
    renamed = replace(facts, primary=name, metrics=(name,))
    made = replace(
        result,
        suite=replace(result.suite, tasks=(renamed,)),
        scores=tuple(
            replace(score, metric=name)
            for score in result.scores
            if score.primary and score.task == "dialogues"
        ),
        comparisons=tuple(
            replace(one, metric=name, better=0, worse=0)
            for one in result.comparisons
            if (one.task, one.metric) == ("dialogues", facts.primary)
        ),
    )
    (task,) = build(made).tasks
    pairs = [one for group in task.groups for one in group.comparisons]
    assert pairs and all((one.better == one.worse == 0) == counted for one in pairs)
    assert [line.moved for line in task.lines if line.to_base] == [(0, 0) if counted else None] * 4


@pytest.mark.parametrize(("values", "ends"), [
    ([3.0, 41.0], (0.0, 50.0)), ([-12.1, 14.7], (-20.0, 20.0)), ([-250.5, -3.0], (-250.5, 10.0)), ([], (0.0, 10.0)),
])  # fmt: skip
def test_bars_reach_below_zero_where_a_score_does(values: list[float], ends: tuple[float, float]) -> None:
    assert (_axis_beginning(values), _axis_end(values)) == ends


def test_models_that_lack_the_same_thing_stand_in_one_line(example: Path) -> None:
    result = read(example)
    writes, head = "is an encoder, which writes no text", "is a decoder, which has no head for labels"
    cells = [
        ("bert", f"bert {writes}"), ("bert + x", f"bert {writes}"), ("t5", f"t5 {head}"), ("albert", f"albert {writes}"),
        ("albert + x", f"albert {writes}"), ("gpt + x", f"gpt {head}"), ("old", "it has no chat template"),
    ]  # fmt: skip
    notes = tuple(
        Note(kind="not applicable", where=f"dialogues, {system}", count=0, of=0, detail=reason)
        for system, reason in cells
    )
    task = next(task for task in result.suite.tasks if task.name == "dialogues")
    assert unasked(replace(result, notes=notes), task) == (
        "Not applicable: bert and albert, with or without an adapter: each is an encoder, which writes no text.",
        "Not applicable: t5: it is a decoder, which has no head for labels.",
        "Not applicable: gpt + x: gpt is a decoder, which has no head for labels.",
        "Not applicable: old: it has no chat template.",
    )
