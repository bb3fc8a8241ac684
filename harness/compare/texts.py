"""What the samples that changed most ask, and what both sides answered, where their source lets text be shared."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from harness.compare.sides import Asked, Side
from harness.report.side_by_side import Change, Line, Texts
from harness.results import read_generations, read_samples
from harness.tasks import rules as trivial
from harness.types import Sample, System


def with_texts(asked: Asked, task: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, their samples with texts; ids and numbers alone where either side shares no text."""
    wanted = {change.sample for line in lines for change in line.changes}
    if not wanted or any(side.task(task).share != "text" for side in (asked.a, asked.b)):
        return tuple(lines)
    samples = {
        sample.id: sample
        for name, sample in read_samples(asked.a.result.folder, {(task, one) for one in wanted})
        if name == task
    }
    ours, theirs = (_answers(side, task, wanted) for side in (asked.a, asked.b))

    def told(line: Line, change: Change) -> Change:
        sample = samples.get(change.sample)
        if sample is None:
            return change
        return replace(
            change,
            texts=Texts(
                input=sample.input,
                references=sample.references,
                baseline=_answer(ours, line.baseline, sample),
                candidate=_answer(theirs, line.candidate, sample),
            ),
        )

    return tuple(
        replace(line, changes=tuple(told(line, change) for change in line.changes)) for line in lines
    )


Answers = Mapping[tuple[System, str], str]


def _answers(side: Side, task: str, wanted: Container[str]) -> Answers:
    return {
        (system, generation.sample_id): generation.text
        for name, system, generation in read_generations(side.result.folder)
        if name == task and generation.sample_id in wanted
    }


def _answer(answers: Answers, system: System, sample: Sample) -> str:
    """A rule's answers may not be kept: it gives them again."""
    kept = answers.get((system, sample.id))
    if kept is None and system.rule is not None:
        return trivial.answer(system.rule, sample)
    return kept or ""
