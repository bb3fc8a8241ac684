"""Add texts to the samples that changed most, if their source lets text be shared."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from harness.compare.records import PairUnderMetric, SampleChange, SampleTexts
from harness.compare.sides import ComparisonRequest, Side
from harness.results import read_generations, read_samples
from harness.tasks import rules as trivial
from harness.types import Sample, System


def with_texts(
    request: ComparisonRequest, task: str, lines: Sequence[PairUnderMetric]
) -> tuple[PairUnderMetric, ...]:
    """Return the lines with the texts of their samples; without texts if either side may not share them."""
    wanted = {change.sample for line in lines for change in line.changes}
    if not wanted or any(side.task(task).share != "text" for side in (request.a, request.b)):
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
                input=sample.input,
                references=sample.references,
                baseline=_answer(ours, line.baseline, sample),
                candidate=_answer(theirs, line.candidate, sample),
            ),
        )

    return tuple(
        replace(line, changes=tuple(with_text(line, change) for change in line.changes)) for line in lines
    )


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
    if kept is None and system.rule is not None:
        return trivial.answer(system.rule, sample)
    return kept or ""
