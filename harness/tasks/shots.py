"""Keep a sample out of the examples before its own prompt, which would show it its answer where splits overlap."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from harness.types import Prompt, Sample, Task

Ask = Callable[[Task, Sample, Sequence[Sample]], Prompt]


def asked_alone(task: Task, ask: Ask, sample: Sample) -> Prompt:
    """Return the prompt of a sample without examples and without its id: equal for two samples with the same question."""
    return replace(ask(task, sample, ()), sample_id="")


def for_each(
    task: Task, ask: Ask, samples: Sequence[Sample], shots: Sequence[Sample], training: Sequence[Sample]
) -> list[Sequence[Sample]]:
    """Return the examples of each sample's prompt: another training sample stands in for one with the same question.

    The other one has the same label, for a task with labels, and is drawn at random by the sample's id.
    """
    if not shots:
        return [()] * len(samples)
    shown = [asked_alone(task, ask, shot) for shot in shots]
    found: list[Sequence[Sample]] = []
    for sample in samples:
        own = asked_alone(task, ask, sample)
        found.append(_without(task, ask, sample, own, shots, shown, training) if own in shown else shots)
    return found


def _without(
    task: Task,
    ask: Ask,
    sample: Sample,
    own: Prompt,
    shots: Sequence[Sample],
    shown: Sequence[Prompt],
    training: Sequence[Sample],
) -> Sequence[Sample]:
    """Return the examples with others in the places of those that are the sample itself; without them if there are none."""
    taken = [*shown]
    others: list[Sample] = []
    for shot, prompt in zip(shots, shown, strict=True):
        if prompt != own:
            others.append(shot)
            continue
        for at in Random(f"shots-{sample.id}").sample(range(len(training)), len(training)):
            other = training[at]
            if task.source.labels and other.references[:1] != shot.references[:1]:
                continue
            if (asked := asked_alone(task, ask, other)) not in taken:
                others.append(other)
                taken.append(asked)
                break
    return others
