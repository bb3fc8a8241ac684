"""The kind of task that asks which of several answers is right: by the likelihood of each, after the prompt.

The prompt is read once for all of its choices. The answer is the choice with the greatest sum of log-likelihoods; metrics
can choose by token, by byte, or against the likelihood without the prompt instead (`accuracy: {by: byte}`).
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.backends import GivesLikelihoods, OpenBackend
from harness.errors import DataError
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
from harness.tasks.options import letter
from harness.tasks.prompts import render
from harness.types import Generation, Prompt, Sample, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSettings:
    """The settings of a task of this kind."""

    # What a model is asked the likelihood of: the text of a choice, or its letter in the prompt's `$choices`.
    options: Literal["text", "letter"] = "text"
    unconditional: bool = (
        False  # also ask each choice without the prompt, for `accuracy: {by: unconditional}`
    )
    # A column with a JSON list of what is asked for each choice, just as it follows the prompt; None: a space and the choice
    continuations: str | None = None


def _shown(task: Task, choice: str, sample: Sample) -> str:
    """Return a choice as a model is asked for it."""
    return letter(choice, sample.choices) if settings_of(task).options == "letter" else choice


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples, with its choices."""
    prompt = render(task, sample, shots, lambda shot: target(task, shot))
    if (column := settings_of(task).continuations) is not None:
        return _exact(prompt, sample, _continuations(sample, column))
    shown = tuple(_shown(task, choice, sample) for choice in sample.choices)
    return replace(prompt, options=shown, answers=sample.choices)


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a prompt that a sample cannot fill, or a metric that needs choices without the prompt."""
    check_prompt(task, at)
    if not settings_of(task).unconditional:
        refuse_against(task, at, "say `settings: {unconditional: true}`")


def _exact(prompt: Prompt, sample: Sample, continuations: tuple[str, ...]) -> Prompt:
    """Return a prompt whose options follow it as they are; white space at its end belongs to the options.

    Tokenizers put a space and the word behind it into one token. lm-evaluation-harness asks in the same way.
    """
    after = prompt.after.rstrip()
    asked = prompt.input if after else prompt.input.rstrip()
    before = prompt.before if after or asked else prompt.before.rstrip()
    ends = prompt.own.removeprefix(before + asked + after)
    return replace(
        prompt,
        before=before,
        input=asked,
        after=after,
        options=tuple(ends + each for each in continuations),
        answers=sample.choices,
        exact=True,
    )


def _continuations(sample: Sample, column: str) -> tuple[str, ...]:
    """Return what is asked for each choice of a sample."""
    try:
        found = json.loads(sample.metadata.get(column, ""))
    except ValueError:
        found = None
    if (
        not isinstance(found, list)
        or len(found) != len(sample.choices)
        or not all(isinstance(each, str) and each for each in found)
    ):
        raise DataError(
            f"sample {sample.id!r}: column {column!r}: give a list of texts, one for each of the "
            f"{len(sample.choices)} choices",
            ("settings", "continuations"),
        )
    return tuple(found)


def target(task: Task, sample: Sample) -> str:
    """Return the right choice as a model is asked for it, which an adapter is trained to write."""
    if settings_of(task).continuations is not None:
        return ask(task, sample).options[sample.choices.index(sample.references[0])]
    return _shown(task, sample.references[0], sample)


def by_likelihood(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the likeliest choice of each prompt, with the likelihoods of all."""
    against = None
    if settings_of(task).unconditional:
        assert isinstance(backend, GivesLikelihoods)
        alone = [
            replace(prompt, before="", input="", after="", system="", examples=(), turns=None)
            for prompt in prompts
        ]
        against = {
            found.sample_id: found for found in backend.likelihoods(alone, task.overflow, adapter, done)
        }
    yield from likeliest(backend, prompts, task.overflow, adapter, done, against)


KIND = Kind(
    name="choice",
    version=2,  # 2: log-likelihoods by logsumexp
    about="chooses one of several answers",
    settings=ChoiceSettings,
    choose_shots=generate.choose_shots,
    ask=ask,
    target=target,
    answers={"likelihoods": by_likelihood},
    check=check,
    columns=("id", "input", "reference", "choices"),
    odd=ODD_CHOOSING,
    hub_task="question-answering",
)
