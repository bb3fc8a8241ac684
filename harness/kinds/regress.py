"""The kind of task that asks for a number: of an encoder's head, or written as text."""

import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.backends import HasHead, OpenBackend
from harness.digest import text_digest
from harness.errors import DataError
from harness.kinds import ODD_WRITING, Kind, Oddity, generate
from harness.tasks.prompts import render
from harness.text import as_number
from harness.types import Generation, Prompt, Sample, Task


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples; raise DataError if its reference is no number."""
    for reference in sample.references:
        if as_number(reference) is None:
            raise DataError(
                f"task {task.name or '(unnamed)'}: sample {sample.id!r}: the reference {reference!r} is not a number; "
                "correct it, or drop the row"
            )
    return render(task, sample, shots)


def by_head(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the number that the head gives for each prompt."""
    assert isinstance(backend, HasHead)
    asked = {prompt.sample_id: prompt for prompt in prompts}
    for output in backend.head(prompts, task.overflow, adapter, done):
        finite = bool(output.values) and math.isfinite(output.values[0])
        yield Generation(
            sample_id=output.sample_id,
            text=f"{output.values[0]:.6g}" if finite else "",
            prompt_tokens=output.prompt_tokens,
            truncated_tokens=output.truncated_tokens,
            finish="stop" if output.values else "refused",
            prompt_digest=text_digest(asked[output.sample_id].text),
        )


KIND = Kind(
    name="regress",
    about="gives a number",
    choose_shots=generate.choose_shots,
    ask=ask,
    target=generate.target,
    answers={"head": by_head, "write": generate.answer},
    odd={
        **ODD_WRITING,
        "no number": Oddity(
            said="answers that are no number", holds=lambda answer: as_number(answer.text) is None
        ),
    },
    stand_in="mean",
    hub_task="text-classification",
)
