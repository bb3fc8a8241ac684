"""The kind of task that asks a model to write: a prompt in, text out.

With `votes: 5`, five answers to each prompt are sampled, and the result that most of them give is the answer.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness.backends import OpenBackend, lacks_draws
from harness.errors import DataError, SuiteError
from harness.files.json_lines import from_json
from harness.files.validation import At
from harness.kinds import ODD_WRITING, Kind, Oddity, check_prompt, settings_of
from harness.plugins.choice import parse
from harness.results.odd import TIE, VOTE
from harness.tasks import votes
from harness.tasks.extracts import Extraction
from harness.tasks.prompts import render
from harness.types import Generation, Model, Prompt, Sample, Task

METRIC = "extract"  # whose settings say how the result of an answer is found


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSettings:
    """The settings of a task of this kind."""

    # Answers that are sampled for each prompt; the result that most of them give counts. 1: one answer, and no vote
    votes: int = 1


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


def answer_or_vote(
    backend: OpenBackend, prompts: Sequence[Prompt], task: Task, adapter: Path | None, done: Collection[str]
) -> Iterator[Generation]:
    """Yield the answers; where a task has votes, each is the one that a vote over sampled answers decides for."""
    count = answers_to_each(task)
    if count == 1:
        yield from answer(backend, prompts, task, adapter, done)
        return
    (metric,) = counted_by(task)
    extraction = from_json(Extraction, dict(parse(metric).settings))
    drawn = votes.several(prompts, count)
    answered = {votes.drawn_id(sample_id, draw) for sample_id in done for draw in range(count)}
    written = backend.write(drawn, task.decode, task.overflow, adapter, answered)
    yield from votes.gathered(written, [prompt.sample_id for prompt in prompts], count, extraction)


def answers_to_each(task: Task) -> int:
    """Return how many answers are written to each prompt."""
    found: int = settings_of(task).votes
    return found


def counted_by(task: Task) -> tuple[str, ...]:
    """Return the metrics that say what the result of an answer is; none where there is no vote."""
    if answers_to_each(task) == 1:
        return ()
    return tuple(metric for metric in task.metrics if parse(metric).name == METRIC)


def unable(task: Task, model: Model) -> str | None:
    """Return why a model cannot give several answers, where a task has votes; None where it can."""
    return None if answers_to_each(task) == 1 else lacks_draws(model)


def check(task: Task, at: At) -> None:
    """Raise SuiteError for a prompt that a sample cannot fill, or for votes without anything to draw or to count."""
    check_prompt(task, at)
    count, where = answers_to_each(task), at("settings", "votes")
    if count < 1:
        raise SuiteError(f"{where}: found the number {count}; give 1 or more")
    if count == 1:
        return
    if task.decode.temperature == 0:
        raise SuiteError(
            f"{where}: found {count} votes with temperature 0, where all answers to a prompt are the same; "
            "set decode.temperature, such as 0.7"
        )
    metrics = counted_by(task)
    if len(metrics) != 1:
        found = f"{len(metrics)} of them" if metrics else "none"
        raise SuiteError(
            f"{where}: the metric {METRIC!r} says which result an answer votes for, and the task has {found}; "
            "give it once under `metrics`"
        )


def _decided(answer: Generation) -> bool:
    count = votes.count(answer.ballots)
    return count.winner is not None and not count.tied


ODD = {
    **ODD_WRITING,
    VOTE: Oddity(said="answers that a vote decided for, without a tie", holds=_decided),
    TIE: Oddity(
        said="ties of a vote: of the results with the most votes, the one that was given first counts",
        holds=lambda answer: votes.count(answer.ballots).tied,
    ),
    "no vote": Oddity(
        said="answers that some sampled answers did not vote on: no result was found in them",
        holds=lambda answer: any(ballot.result is None for ballot in answer.ballots),
    ),
}

KIND = Kind(
    name="generate",
    about="writes an answer",
    settings=GenerateSettings,
    choose_shots=choose_shots,
    ask=ask,
    target=target,
    answers={"write": answer_or_vote},
    unable=unable,
    answers_by=counted_by,
    of_answers=("votes",),
    draws=answers_to_each,
    check=check,
    odd=ODD,
)
