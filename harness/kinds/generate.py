"""The kind of task that asks a model to write: a prompt in, text out."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from random import Random

from harness.backends import OpenBackend
from harness.errors import DataError
from harness.kinds import Kind
from harness.tasks.prompts import render
from harness.types import Generation, Prompt, Sample, Task


def choose_shots(training: Sequence[Sample], count: int, task: Task) -> tuple[Sample, ...]:
    """Return the examples that are put before every prompt, the same for all test samples and models."""
    if count > len(training):
        raise DataError(
            f"{count:,} examples are asked for and the training split has {len(training):,} samples; "
            "lower `shots` or add training samples"
        )
    return tuple(Random("shots-0").sample(training, count)) if count else ()


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples."""
    return render(task, sample, shots)


def target(task: Task, sample: Sample) -> str:
    """Return the text that an adapter is trained to write."""
    return sample.references[0]


def answer(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the answers to the prompts that are not answered yet, as they finish."""
    return backend.write(prompts, task.decode, task.overflow, adapter, done)


KIND = Kind(
    name="generate",
    about="writes an answer",
    choose_shots=choose_shots,
    ask=ask,
    target=target,
    answers={"write": answer},
)
