"""Find the samples that fell most, with their texts if the source lets text leave the machine."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from harness.gates.evidence import GateInputs
from harness.gates.questions import RowsQuestion
from harness.gates.rules import BASE
from harness.results import read_generations, read_samples
from harness.types import Regression, Sample, System

EACH = 5  # of one question
MOST = 50  # of all


Loss = tuple[float, Regression]  # lost points, and the sample, without its texts


def losses(question: RowsQuestion, inputs: GateInputs) -> tuple[Loss, ...]:
    """Return the losses, the largest first; empty for a score alone, or for a recipe, which has no answers of its own."""
    check = question.check
    if question.against is None or check.gate.recipe is not None:
        return ()
    rows = inputs.paired_rows(question.key, question.sides)
    assert check.metric is not None and check.task is not None
    name, sign = rows.metric.names.index(check.metric), 1.0 if rows.metric.better == "higher" else -1.0
    mine, theirs = (
        rows.by_sample[:, rows.places[side], name] for side in (question.own[0], question.other[0])
    )
    lost = np.nan_to_num(sign * (theirs - mine))
    order = np.argsort(-lost, kind="stable")[:EACH]
    return tuple(
        (
            float(lost[place]),
            Regression(
                task=check.task,
                system=check.systems[0],
                against=question.against,
                metric=check.metric,
                sample_id=rows.ids[place],
                before=float(theirs[place]),
                after=float(mine[place]),
            ),
        )
        for place in order
        if lost[place] > 0
    )


def worst(suspects: Iterable[Sequence[Loss]], inputs: GateInputs) -> tuple[Regression, ...]:
    """Return the worst losses of all questions, each sample of a system once, with texts if they may be shown."""
    unique = {
        (at.task, at.system, at.against, at.metric, at.sample_id): (lost, at)
        for losses in suspects
        for lost, at in losses
    }
    ordered = sorted(
        unique.values(), key=lambda loss: (-loss[0], loss[1].task, str(loss[1].system), loss[1].sample_id)
    )
    chosen = [regression for _, regression in ordered[:MOST]]
    shared = {task.name for task in inputs.result.suite.tasks if task.share == "text"}
    wanted = {(regression.task, regression.sample_id) for regression in chosen if regression.task in shared}
    samples = _samples(inputs, wanted)
    answers = _answers(inputs, wanted)
    return tuple(
        _with_texts(regression, inputs, sample, answers)
        if (sample := samples.get((regression.task, regression.sample_id)))
        else regression
        for regression in chosen
    )


Answers = dict[tuple[str, System, str], str]  # by task, system and sample id


def _samples(inputs: GateInputs, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Sample]:
    if not wanted:
        return {}
    return {(task, sample.id): sample for task, sample in read_samples(inputs.result.folder, wanted)}


def _answers(inputs: GateInputs, wanted: set[tuple[str, str]]) -> Answers:
    if not wanted:
        return {}
    given = read_generations(inputs.result.folder, wanted)
    return {(task, system, answer.sample_id): answer.text for task, system, answer in given}


def _with_texts(regression: Regression, inputs: GateInputs, sample: Sample, answers: Answers) -> Regression:
    task, system, sample_id = regression.task, regression.system, regression.sample_id
    if regression.against == BASE:
        before = answers.get((task, system.base, sample_id))
    else:
        kept = inputs.baseline(regression.against).systems[task, system]
        before = kept.answers[kept.ids.index(sample_id)] if kept.answers else None
    return replace(
        regression,
        prompt=sample.question,
        reference=sample.references[0] if sample.references else None,
        answer_before=before,
        answer_after=answers.get((task, system, sample_id)),
    )
