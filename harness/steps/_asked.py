"""Digests of what was asked and of what was answered, taken while both are written."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.records import line
from harness.types import Answers, System


@dataclass(slots=True)
class Passed:
    """A digest of what has passed so far."""

    count: int = 0
    first: Any = field(default_factory=hashlib.sha256)
    second: Any = field(default_factory=hashlib.sha256)


@dataclass(slots=True)
class Asked:
    """Hands lines on and remembers digests of them."""

    _samples: dict[str, Passed] = field(default_factory=dict)  # by task
    _answers: dict[tuple[str, System], Passed] = field(default_factory=dict)

    def samples(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for one in lines:
            passed = self._samples.setdefault(one["task"], Passed())
            passed.first.update(_bytes([one["sample_id"], one["input"], list(one["references"])]))
            yield one

    def generations(self, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for one in lines:
            system = _system(one["model"], one["adapter"], one["shots"])
            passed = self._answers.setdefault((one["task"], system), Passed())
            passed.count += 1
            passed.first.update(_bytes(one["prompt_digest"]))
            passed.second.update(_bytes(one["text"]))
            yield one

    def of(self, task: str) -> str:
        """16 hex digits over ids, inputs and references of the task's samples, in data order."""
        return self._samples[task].first.hexdigest()[:16] if task in self._samples else ""

    def answers(self) -> Sequence[Answers]:
        """Of every system on every task, once they have passed."""
        return [
            Answers(
                task=task,
                system=system,
                prompts=passed.first.hexdigest()[:16],
                texts=passed.second.hexdigest()[:16],
                n=passed.count,
            )
            for (task, system), passed in self._answers.items()
        ]


@cache
def _system(model: str, adapter: str | None, shots: int) -> System:
    return System(model=model, adapter=adapter, shots=shots)


def _bytes(value: object) -> bytes:
    return line(value).encode("utf-8", "surrogatepass")
