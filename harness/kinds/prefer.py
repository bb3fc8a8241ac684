"""The kind of task that asks which of two answers a model prefers: the chosen one or the rejected one, by likelihood.

With `against_base: true` an adapter's likelihoods are also compared with its base's: `accuracy: {by: against}` then counts
how often the adapter raises the chosen answer more than the rejected one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.backends import GivesLikelihoods, OpenBackend
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
from harness.types import Generation, Prompt, Sample, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceSettings:
    """The settings of a task of this kind."""

    against_base: bool = False  # also ask the base, and keep its likelihoods beside the adapter's


def ask(task: Task, sample: Sample, shots: Sequence[Sample] = ()) -> Prompt:
    """Return the prompt of one sample, after the examples, with both answers as its options."""
    return replace(render(task, sample, shots), options=sample.choices)


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a prompt that a sample cannot fill, or a metric that needs the base's likelihoods."""
    check_prompt(task, at)
    if not settings_of(task).against_base:
        refuse_against(task, at, "say `settings: {against_base: true}`")


def by_likelihood(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the likelier answer of each pair, with the likelihoods of both."""
    against = None
    if settings_of(task).against_base and adapter is not None:
        assert isinstance(backend, GivesLikelihoods)
        against = {
            found.sample_id: found for found in backend.likelihoods(prompts, task.overflow, None, done)
        }
    return likeliest(backend, prompts, task.overflow, adapter, done, against)


def rejected(sample: Sample) -> str:
    """Return the answer that an adapter trained on preferences makes less likely."""
    return sample.choices[1]


KIND = Kind(
    name="prefer",
    version=2,  # 2: log-likelihoods by logsumexp
    about="prefers one of two answers",
    settings=PreferenceSettings,
    choose_shots=generate.choose_shots,
    ask=ask,
    target=generate.target,
    rejected=rejected,
    answers={"likelihoods": by_likelihood},
    check=check,
    columns=("id", "input", "chosen", "rejected"),
    odd=ODD_CHOOSING,
    hub_task="text-generation",
)
