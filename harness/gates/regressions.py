"""The samples that fell most, with their texts where the source lets text leave the machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.gates.evidence import Evidence
from harness.gates.quality import Question
from harness.gates.rules import BASE
from harness.results import read_generations, read_samples
from harness.types import Regression, Sample, System

EACH = 5  # of one question
MOST = 50  # of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """One sample on which the judged system does worse than what it is compared with."""

    task: str
    system: System
    against: str
    metric: str
    sample_id: str
    before: float
    after: float
    loss: float  # points, whichever way is better


def falls(question: Question, found: Evidence) -> tuple[Fall, ...]:
    """The largest losses first; none for a score alone or a recipe, which has no answers of its own."""
    check = question.check
    if question.against is None or check.gate.recipe is not None:
        return ()
    panel = found.panel(question.key, question.sides)
    assert check.metric is not None and check.task is not None
    name, sign = panel.metric.names.index(check.metric), 1.0 if panel.metric.better == "higher" else -1.0
    mine, theirs = (panel.alone[:, panel.places[side], name] for side in (question.own[0], question.other[0]))
    losses = np.nan_to_num(sign * (theirs - mine))
    order = np.argsort(-losses, kind="stable")[:EACH]
    return tuple(
        Fall(
            task=check.task,
            system=check.systems[0],
            against=question.against,
            metric=check.metric,
            sample_id=panel.ids[place],
            before=float(theirs[place]),
            after=float(mine[place]),
            loss=float(losses[place]),
        )
        for place in order
        if losses[place] > 0
    )


def worst(suspects: Iterable[Sequence[Fall]], found: Evidence) -> tuple[Regression, ...]:
    """The worst of all questions, each sample of a system once."""
    unique = {
        (one.task, one.system, one.against, one.metric, one.sample_id): one
        for some in suspects
        for one in some
    }
    chosen = sorted(unique.values(), key=lambda one: (-one.loss, one.task, str(one.system), one.sample_id))[
        :MOST
    ]
    shared = {one.name for one in found.result.suite.tasks if one.share == "text"}
    wanted = {(one.task, one.sample_id) for one in chosen if one.task in shared}
    samples = _samples(found, wanted)
    answers = _answers(found, wanted)
    return tuple(_regression(one, found, samples.get((one.task, one.sample_id)), answers) for one in chosen)


Answers = dict[tuple[str, System, str], str]  # by task, system and sample id


def _samples(found: Evidence, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Sample]:
    if not wanted:
        return {}
    return {(task, one.id): one for task, one in read_samples(found.result.folder, wanted)}


def _answers(found: Evidence, wanted: set[tuple[str, str]]) -> Answers:
    if not wanted:
        return {}
    given = read_generations(found.result.folder, wanted)
    return {(task, system, one.sample_id): one.text for task, system, one in given}


def _regression(one: Fall, found: Evidence, sample: Sample | None, answers: Answers) -> Regression:
    before = None
    if sample is not None and one.against == BASE:
        before = answers.get((one.task, one.system.base, one.sample_id))
    elif sample is not None:
        kept = found.baseline(one.against).systems[one.task, one.system]
        before = kept.answers[kept.ids.index(one.sample_id)] if kept.answers else None
    return Regression(
        task=one.task,
        system=one.system,
        against=one.against,
        metric=one.metric,
        sample_id=one.sample_id,
        before=one.before,
        after=one.after,
        prompt=sample.input if sample else None,
        reference=sample.references[0] if sample and sample.references else None,
        answer_before=before,
        answer_after=answers.get((one.task, one.system, one.sample_id)) if sample else None,
    )
