"""Compute digests of samples, prompts and answers while they are read or written."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.files.json_lines import line, to_json
from harness.results import Result
from harness.types import Answers, Generation, Sample, System

DIGITS = 16
UNWRITTEN = ("logprob", "options")
MORE = (*UNWRITTEN, "ballots", "given")  # what an answer may have besides its text


@dataclass(slots=True)
class RunningDigest:
    """The digest of all samples, or of all prompts and answers, so far."""

    count: int = 0
    first: Any = field(default_factory=hashlib.sha256)  # samples, or prompts
    second: Any = field(default_factory=hashlib.sha256)  # answers

    def sample(
        self,
        sample_id: str,
        text: str,
        references: Sequence[str],
        turns: Sequence[Any] | None = None,  # of a conversation, as plain data
    ) -> None:
        """Add a sample."""
        self.count += 1
        more = [] if turns is None else [list(turns)]
        self.first.update(_bytes([sample_id, text, list(references), *more]))

    def answer(self, prompt_digest: str, text: str, more: Mapping[str, Any] | None = None) -> None:
        """Add an answer and the digest of its prompt; `more` is what `unwritten` returns."""
        self.count += 1
        self.first.update(_bytes(prompt_digest))
        self.second.update(_bytes([text, more] if more else text))

    @property
    def samples(self) -> str:
        """Return the digest of the samples' ids, inputs and references, in data order."""
        return str(self.first.hexdigest()[:DIGITS])

    def answers(self, task: str, system: System) -> Answers:
        """Return the digests of a system's prompts and answers."""
        return Answers(
            task=task,
            system=system,
            prompts=self.first.hexdigest()[:DIGITS],
            texts=self.second.hexdigest()[:DIGITS],
            n=self.count,
        )


@dataclass(slots=True)
class InputDigests:
    """The digests of a run's samples and answers, computed while the lines of both are written."""

    _samples: dict[str, RunningDigest] = field(default_factory=dict)  # by task
    _answers: dict[tuple[str, System], RunningDigest] = field(default_factory=dict)

    def samples(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield each line of a sample after adding it to its task's digest."""
        for sample in lines:
            running = self._samples.setdefault(sample["task"], RunningDigest())
            running.sample(sample["sample_id"], sample["input"], sample["references"], sample.get("turns"))
            yield sample

    def generations(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield each line of a generation after adding it to its system's digest."""
        for generation in lines:
            system = _system(generation["model"], generation["adapter"], generation["shots"])
            running = self._answers.setdefault((generation["task"], system), RunningDigest())
            more = {key: generation[key] for key in MORE if key in generation}
            running.answer(generation["prompt_digest"], generation["text"], more)
            yield generation

    def of(self, task: str) -> str:
        """Return 16 hex digits over ids, inputs and references of the task's samples, in data order."""
        return self._samples[task].samples if task in self._samples else ""

    def answers(self) -> Sequence[Answers]:
        """Return the digests of every system on every task, once all lines are written."""
        return [running.answers(task, system) for (task, system), running in self._answers.items()]


def unwritten(answer: Generation) -> dict[str, Any]:
    """Return what an answer has besides its text, as a line of a RESULT: if it was chosen, read, voted for or imported."""
    found: dict[str, Any] = to_json(answer)
    given = {"given": found["given"]} if answer.given else {}
    if answer.options:
        return {key: found[key] for key in UNWRITTEN} | given
    if answer.ballots:
        return {"ballots": found["ballots"]} | given
    return ({"logprob": answer.logprob} if answer.logprob is not None and not answer.text else {}) | given


@cache
def _system(model: str, adapter: str | None, shots: int) -> System:
    return System(model=model, adapter=adapter, shots=shots)


def noted(answers: Iterator[Generation], passed: RunningDigest) -> Iterator[Generation]:
    """Yield each answer after adding it to the digest."""
    for answer in answers:
        passed.answer(answer.prompt_digest, answer.text, unwritten(answer))
        yield answer


def samples_noted(samples: Iterator[Sample], passed: RunningDigest) -> Iterator[Sample]:
    """Yield each sample after adding it to the digest."""
    for sample in samples:
        passed.sample(sample.id, sample.input, sample.references, to_json(sample.turns))
        yield sample


def check_digests(
    result: Result, samples: Mapping[str, RunningDigest], answers: Mapping[tuple[str, System], RunningDigest]
) -> Iterator[str]:
    """Yield a sentence for each digest of result.json that is not the digest of its samples or answers.

    Texts that a copy withholds have no digest to compare with.
    """
    for task in result.suite.tasks:
        if task.name in samples and task.name not in result.withheld:
            now = samples[task.name].samples
            if task.samples and task.samples != now:
                yield f"{task.name}: the digest of its samples is {task.samples} in result.json, of the samples {now}"
    listed = set()
    for recorded in result.answers:
        key = recorded.task, recorded.system
        if key in listed:
            yield f"{_answers_of(*key)} are listed twice in result.json"
        listed.add(key)
        if key in answers:
            yield from _differing(recorded, answers[key].answers(*key), recorded.task in result.withheld)
        else:
            yield f"{_answers_of(*key)} are listed in result.json, and there are none"
    if result.answers:
        for key in answers:
            if key not in listed:
                yield f"{_answers_of(*key)} are not listed in result.json"


def _answers_of(task: str, system: System) -> str:
    return f"{task} / {system}: answers"


def _differing(recorded: Answers, now: Answers, withheld: bool) -> Iterator[str]:
    """Yield what differs between the recorded digests of a system's answers and those of the answers themselves."""
    here = _answers_of(recorded.task, recorded.system)
    if recorded.n != now.n:
        yield f"{here}: n = {recorded.n} in result.json, {now.n} generations"
    if not withheld and (recorded.prompts, recorded.texts) != (now.prompts, now.texts):
        yield (
            f"{here}: the digests are {recorded.prompts} of prompts and {recorded.texts} of texts in result.json, "
            f"{now.prompts} and {now.texts} of the generations"
        )


def _bytes(value: object) -> bytes:
    return line(value).encode("utf-8", "surrogatepass")
