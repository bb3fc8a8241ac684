"""The kind of task that asks for a label: of an encoder's head, or by the likelihood of each label as the answer.

The labels are those of the task's source: `labels: [negative, positive]`. With `by: write` a model writes the label instead,
which a server without log-probabilities can do too.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.backends import HasHead, OpenBackend, Verb
from harness.digest import text_digest
from harness.errors import SuiteError
from harness.files.validation import At
from harness.kinds import (
    ODD_CHOOSING,
    Kind,
    check_prompt,
    generate,
    likeliest,
    refuse_against,
    settings_of,
)
from harness.tasks.prompts import render
from harness.types import Generation, HeadOutput, Option, Prompt, Sample, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """The settings of a task of this kind."""

    by: Literal["likelihood", "write"] = (
        "likelihood"  # how a model that writes is asked; an encoder has a head
    )
    balanced: bool = (
        False  # examples before a prompt have all labels equally often, as far as the count allows
    )


def choose_shots(training: Sequence[Sample], count: int, task: Task) -> tuple[Sample, ...]:
    """Return the examples that are put before every prompt; balanced, where the task says so.

    The labels take turns in the order in which they are drawn, so fewer examples than labels are not always of the first.
    """
    if not settings_of(task).balanced:
        return generate.choose_shots(training, count, task)
    shuffled = generate.choose_shots(training, len(training), task) if count else ()
    turns = tuple(dict.fromkeys(sample.references[0] for sample in shuffled))
    found: list[Sample] = []
    while len(found) < count:
        generate.choose_shots(training, count, task)  # raises where there are too few
        for label in turns:
            rest = (sample for sample in shuffled if sample not in found and sample.references[0] == label)
            found += [sample] if len(found) < count and (sample := next(rest, None)) else []
    return tuple(found)


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples, with all labels as its options."""
    return replace(render(task, sample, shots), options=task.source.labels)


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a task without two labels, or with a prompt that a sample cannot fill."""
    check_prompt(task, at)
    if len(task.source.labels) < 2:
        raise SuiteError(
            f"{at('source', 'labels')}: found {len(task.source.labels)}; give the labels that the reference column has: "
            "`labels: [negative, positive]`"
        )
    refuse_against(task, at, "leave the setting out: labels are compared with nothing")
    for label in task.source.labels:
        wrong = (
            "is empty"
            if not label.strip()
            else "is there twice"
            if task.source.labels.count(label) > 1
            else ""
        )
        if wrong:
            raise SuiteError(f"{at('source', 'labels')}: {label!r} {wrong}; give different labels")


def verbs(task: Task) -> tuple[Verb, ...]:
    """Return what a task allows to ask a model for."""
    return ("head", "write") if settings_of(task).by == "write" else ("head", "likelihoods")


def by_likelihood(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the likeliest label of each prompt, with the likelihoods of all."""
    return likeliest(backend, prompts, task.overflow, adapter, done)


def by_head(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the label with the greatest output of the head, with the log-probabilities of all."""
    assert isinstance(backend, HasHead)
    asked = {prompt.sample_id: prompt for prompt in prompts}
    for output in backend.head(prompts, task.overflow, adapter, done):
        yield _labelled(output, asked[output.sample_id])


def _labelled(output: HeadOutput, prompt: Prompt) -> Generation:
    options: tuple[Option, ...] = ()
    if output.values:
        most = max(output.values)
        total = most + math.log(sum(math.exp(value - most) for value in output.values))
        options = tuple(
            Option(text=label, logprob=value - total, bytes=len(label.encode("utf-8")))
            for label, value in zip(prompt.options, output.values, strict=True)
        )
    best = max(options, key=lambda option: option.logprob, default=None)
    return Generation(
        sample_id=output.sample_id,
        text=best.text if best else "",
        prompt_tokens=output.prompt_tokens,
        truncated_tokens=output.truncated_tokens,
        finish="stop" if best else "refused",
        prompt_digest=text_digest(prompt.text),
        logprob=best.logprob if best else None,
        options=options,
    )


KIND = Kind(
    name="classify",
    version=3,  # 2: log-likelihoods by logsumexp; 3: labels of balanced examples in the order they are drawn
    about="gives a label",
    settings=LabelSettings,
    choose_shots=choose_shots,
    ask=ask,
    target=generate.target,
    answers={"head": by_head, "likelihoods": by_likelihood, "write": generate.answer},
    verbs=verbs,
    check=check,
    odd=ODD_CHOOSING,
    stand_in="majority",
    hub_task="text-classification",
)
