"""Digests of what was asked and of what was answered, taken while both pass by."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.files.json_lines import line
from harness.results import Result
from harness.types import Answers, Generation, Sample, System

DIGITS = 16


@dataclass(slots=True)
class RunningDigest:
    """A digest of what has passed so far."""

    count: int = 0
    first: Any = field(default_factory=hashlib.sha256)  # samples, or prompts
    second: Any = field(default_factory=hashlib.sha256)  # answers

    def sample(self, sample_id: str, text: str, references: Sequence[str]) -> None:
        self.count += 1
        self.first.update(_bytes([sample_id, text, list(references)]))

    def answer(self, prompt_digest: str, text: str) -> None:
        self.count += 1
        self.first.update(_bytes(prompt_digest))
        self.second.update(_bytes(text))

    @property
    def samples(self) -> str:
        """Of ids, inputs and references, in data order."""
        return str(self.first.hexdigest()[:DIGITS])

    def answers(self, task: str, system: System) -> Answers:
        return Answers(
            task=task,
            system=system,
            prompts=self.first.hexdigest()[:DIGITS],
            texts=self.second.hexdigest()[:DIGITS],
            n=self.count,
        )


@dataclass(slots=True)
class InputDigests:
    """Digests of what was asked and of what was answered, taken while the lines of both are written."""

    _samples: dict[str, RunningDigest] = field(default_factory=dict)  # by task
    _answers: dict[tuple[str, System], RunningDigest] = field(default_factory=dict)

    def samples(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Hand lines of samples on, and note them."""
        for sample in lines:
            running = self._samples.setdefault(sample["task"], RunningDigest())
            running.sample(sample["sample_id"], sample["input"], sample["references"])
            yield sample

    def generations(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Hand lines of generations on, and note them."""
        for generation in lines:
            system = _system(generation["model"], generation["adapter"], generation["shots"])
            running = self._answers.setdefault((generation["task"], system), RunningDigest())
            running.answer(generation["prompt_digest"], generation["text"])
            yield generation

    def of(self, task: str) -> str:
        """Return 16 hex digits over ids, inputs and references of the task's samples, in data order."""
        return self._samples[task].samples if task in self._samples else ""

    def answers(self) -> Sequence[Answers]:
        """Return those of every system on every task, once they have passed."""
        return [running.answers(task, system) for (task, system), running in self._answers.items()]


@cache
def _system(model: str, adapter: str | None, shots: int) -> System:
    return System(model=model, adapter=adapter, shots=shots)


def noted(answers: Iterator[Generation], passed: RunningDigest) -> Iterator[Generation]:
    """Hand answers on, and note them."""
    for one in answers:
        passed.answer(one.prompt_digest, one.text)
        yield one


def samples_noted(samples: Iterator[Sample], passed: RunningDigest) -> Iterator[Sample]:
    """Hand samples on, and note them."""
    for one in samples:
        passed.sample(one.id, one.input, one.references)
        yield one


def check_digests(
    result: Result, samples: Mapping[str, RunningDigest], answers: Mapping[tuple[str, System], RunningDigest]
) -> Iterator[str]:
    """A sentence for each digest of samples or answers that is not theirs; of withheld texts there is none to take."""
    for task in result.suite.tasks:
        if task.name in samples and task.name not in result.withheld:
            now = samples[task.name].samples
            if task.samples and task.samples != now:
                yield f"{task.name}: the digest of its samples is {task.samples} in result.json, of the samples {now}"
    seen = set()
    for one in result.answers:
        key = one.task, one.system
        here = f"{one.task} / {one.system}: answers"
        if key in seen:
            yield f"{here} are listed twice in result.json"
        seen.add(key)
        if key not in answers:
            yield f"{here} are listed in result.json, and there are none"
            continue
        now_so = answers[key].answers(*key)
        if one.n != now_so.n:
            yield f"{here}: n = {one.n} in result.json, {now_so.n} generations"
        if one.task not in result.withheld and (one.prompts, one.texts) != (now_so.prompts, now_so.texts):
            yield (
                f"{here}: the digests are {one.prompts} of prompts and {one.texts} of texts in result.json, "
                f"{now_so.prompts} and {now_so.texts} of the generations"
            )
    if result.answers:
        for task_name, system in answers:
            if (task_name, system) not in seen:
                yield f"{task_name} / {system}: answers are not listed in result.json"


def _bytes(value: object) -> bytes:
    return line(value).encode("utf-8", "surrogatepass")
