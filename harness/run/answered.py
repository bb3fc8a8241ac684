"""Pair the samples of a task with one system's answers, in data order."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from harness.errors import StepError
from harness.files.json_lines import iterate_lines
from harness.run.steps import ANSWERS, split_file
from harness.tasks import rules as trivial
from harness.types import Generation, Sample


def answered(
    task: str,
    rule: str | None,  # a trivial rule that answers instead of a model
    count: int,  # samples, from the first
    loaded: Path,  # folder of the step that loaded the task's samples
    blocks: Sequence[Path],  # folders of the blocks of answers; none for a rule
) -> Iterator[tuple[Sample, Generation]]:
    """Yield each sample with its answer; raise StepError if samples have no answer."""
    samples = islice(iterate_lines(split_file(loaded, "test"), Sample), count)
    if rule is not None:
        training = iterate_lines(split_file(loaded, "train"), Sample)
        answer = trivial.prepared(rule, training if rule in trivial.FROM_TRAINING else ())
        for sample in samples:
            yield sample, Generation(sample_id=sample.id, text=answer(sample))
        return
    generations = chain.from_iterable(iterate_lines(block / ANSWERS, Generation) for block in blocks)
    generation = next(generations, None)
    unanswered: list[str] = []
    for sample in samples:
        if generation is None or generation.sample_id != sample.id:
            unanswered.append(sample.id)
            continue
        yield sample, generation
        generation = next(generations, None)
    if unanswered:
        raise StepError(f"{task}: {len(unanswered)} samples have no answer, the first {unanswered[0]!r}")
