"""The finished folders of a run, by what they are, and what is read from them for a report."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.files.json_lines import iterate_lines, to_json
from harness.run.steps import Bench
from harness.types import Generation, Pins, Sample, Suite, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the need at the same position is: a step's kind, and whose and which task's it is."""

    kind: str
    task: str = ""
    system: System | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAdapter:
    """What an adapter's name in the scores stands for."""

    name: str
    model: str
    recipe: str | None
    trained_on: str | None
    seed: int | None
    uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Needs everything; what failed is missing and said so."""

    suite: Suite
    pins: Pins
    seed: int
    limit: int | None
    parts: tuple[Part, ...]
    adapters: tuple[NamedAdapter, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The finished folders, by what they are."""

    spec: Report
    bench: Bench

    def folders(
        self, kind: str, task: str = "", system: System | None = None
    ) -> Iterator[tuple[Part, str, Path]]:
        """Part, step id and folder of each finished need of a kind."""
        for part, (step, folder) in zip(self.spec.parts, self.bench.needs, strict=True):
            if (
                part.kind == kind
                and task in ("", part.task)
                and system in (None, part.system)
                and folder.is_dir()
            ):
                yield part, step, folder

    def samples(self) -> Iterator[dict[str, Any]]:
        for part, _, folder in self.folders("load"):
            for sample in islice(iterate_lines(folder / "test.jsonl", Sample), self.count(part.task)):
                yield {
                    "task": part.task,
                    "sample_id": sample.id,
                    "input": sample.input,
                    "references": sample.references,
                    "metadata": sample.metadata,
                }

    def count(self, task: str) -> int:
        total = self.spec.pins.test_samples[task]
        return total if self.spec.limit is None else min(total, self.spec.limit)

    def generations(self) -> Iterator[dict[str, Any]]:
        for part, _, folder in self.folders("load"):
            for scored, _, answers in self.folders("score", part.task):
                samples = islice(iterate_lines(folder / "test.jsonl", Sample), self.count(part.task))
                generations = iterate_lines(answers / "generations.jsonl", Generation)
                for sample, g in zip(samples, generations, strict=True):  # both are in data order
                    yield {
                        **keys(scored),
                        "sample_id": g.sample_id,
                        "prompt_digest": g.prompt_digest,
                        "text": g.text,
                        "references": sample.references,
                        "prompt_tokens": g.prompt_tokens,
                        "output_tokens": g.output_tokens,
                        "truncated_tokens": g.truncated_tokens,
                        "finish": g.finish,
                    }


def keys(part: Part) -> dict[str, Any]:
    """The columns that say whose a row is."""
    assert part.system is not None
    return {"task": part.task, **to_json(part.system)}
