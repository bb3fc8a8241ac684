"""Digests of what was asked and of what was answered, taken while both are written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.results.digests import Passed
from harness.types import Answers, System


@dataclass(slots=True)
class Asked:
    """Hands lines on and remembers digests of them."""

    _samples: dict[str, Passed] = field(default_factory=dict)  # by task
    _answers: dict[tuple[str, System], Passed] = field(default_factory=dict)

    def samples(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for one in lines:
            passed = self._samples.setdefault(one["task"], Passed())
            passed.sample(one["sample_id"], one["input"], one["references"])
            yield one

    def generations(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for one in lines:
            system = _system(one["model"], one["adapter"], one["shots"])
            passed = self._answers.setdefault((one["task"], system), Passed())
            passed.answer(one["prompt_digest"], one["text"])
            yield one

    def of(self, task: str) -> str:
        """16 hex digits over ids, inputs and references of the task's samples, in data order."""
        return self._samples[task].samples if task in self._samples else ""

    def answers(self) -> Sequence[Answers]:
        """Of every system on every task, once they have passed."""
        return [passed.answers(task, system) for (task, system), passed in self._answers.items()]


@cache
def _system(model: str, adapter: str | None, shots: int) -> System:
    return System(model=model, adapter=adapter, shots=shots)
