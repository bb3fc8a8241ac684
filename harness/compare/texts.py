"""Add texts to the samples that changed most; withhold those that may not leave the machine."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from harness.compare.records import ComparedTask, PairUnderMetric, SampleChange, SampleTexts, SideBySide
from harness.compare.sides import ComparisonRequest, Side
from harness.results import read_generations, read_samples
from harness.tasks import rules as trivial
from harness.types import Sample, Share, System


def with_texts(
    request: ComparisonRequest, task: str, lines: Sequence[PairUnderMetric]
) -> tuple[PairUnderMetric, ...]:
    """Return the lines with the texts of their samples; without texts if either side is a copy that withholds them."""
    wanted = {change.sample for line in lines for change in line.changes}
    if not wanted or any(task in side.result.withheld for side in (request.a, request.b)):
        return tuple(lines)
    samples = {
        sample.id: sample
        for name, sample in read_samples(request.a.result.folder, {(task, sample_id) for sample_id in wanted})
        if name == task
    }
    ours, theirs = (_answers(side, task, wanted) for side in (request.a, request.b))

    def with_text(line: PairUnderMetric, change: SampleChange) -> SampleChange:
        sample = samples.get(change.sample)
        if sample is None:
            return change
        return replace(
            change,
            texts=SampleTexts(
                input=sample.question,
                references=sample.references,
                baseline=_answer(ours, line.baseline, sample),
                candidate=_answer(theirs, line.candidate, sample),
            ),
        )

    return tuple(
        replace(line, changes=tuple(with_text(line, change) for change in line.changes)) for line in lines
    )


def share(request: ComparisonRequest, task: str) -> Share:
    """Return what may leave the machine of the sources of both sides."""
    sides = (request.a, request.b)
    return "text" if all(side.task(task).share == "text" for side in sides) else "scores"


def shareable(found: SideBySide) -> SideBySide:
    """Return the comparison as it may leave the machine: without texts of sources with `share: scores`."""
    return replace(found, tasks=tuple(map(_withheld, found.tasks)))


def _withheld(task: ComparedTask) -> ComparedTask:
    if task.share == "text":
        return task
    lines = (
        replace(line, changes=tuple(replace(change, texts=None) for change in line.changes))
        for line in task.lines
    )
    return replace(task, lines=tuple(lines))


Answers = Mapping[tuple[System, str], str]


def _answers(side: Side, task: str, wanted: Container[str]) -> Answers:
    return {
        (system, generation.sample_id): generation.text
        for name, system, generation in read_generations(side.result.folder)
        if name == task and generation.sample_id in wanted
    }


def _answer(answers: Answers, system: System, sample: Sample) -> str:
    """Return what a system answered; a trivial rule, whose answers need not be kept, answers again."""
    kept = answers.get((system, sample.id))
    if kept is None and system.rule is not None and system.rule not in trivial.FROM_TRAINING:
        return trivial.prepared(system.rule)(sample)
    return kept or ""
