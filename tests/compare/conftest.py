"""Small RESULT folders, consistent in themselves: whatever a test changes is changed before they are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from harness.results import AdapterFacts, ModelFacts, Result, RunFacts, TaskFacts
from harness.results.document import read_document, write_document
from harness.results.plain import record
from harness.testing import make_result
from harness.types import Sample, System

BASE, TUNED = ("base", None), ("base", "tuned")
TASK = {
    "name": "t", "primary": "f1", "metrics": ["f1", "exact"], "prompt": "Say it: $input", "source": "file:data",
    "share": "text", "shots": 0, "overflow": "keep-start", "decode": {"max_new_tokens": 64}, "samples": "d" * 16,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a RESULT is made of; `replace` makes another."""

    samples: Sequence[Sample]
    answers: Mapping[tuple[str, str | None], Callable[[int], str]]  # of the i-th sample
    task: Mapping[str, Any] = field(default_factory=dict)  # beside TASK
    model: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    prompts: Mapping[tuple[str, str | None], str] = field(default_factory=dict)  # digests
    edit: Callable[[dict[str, Any]], None] = lambda document: None


def samples(n: int = 40) -> list[Sample]:
    return [
        Sample(
            id=f"s{i}",
            input=f"question {i}",
            references=(f"the answer is {i}",),
            metadata={"chat": f"c{i // 4}"},
        )
        for i in range(n)
    ]


def right(i: int) -> str:
    return f"the answer is {i}"


def wrong(i: int) -> str:
    return "no idea is it"


def mixed(i: int) -> str:
    """A base that is right now and then."""
    return right(i) if i % 5 == 0 else wrong(i)


def plain(**changed: Any) -> Made:
    return Made(**{"samples": samples(), "answers": {BASE: mixed, TUNED: right}} | changed)


def make(folder: Path, made: Made) -> Path:
    task = record(TaskFacts, TASK | dict(made.task))
    systems = {System(model=model, adapter=adapter): key for key in made.answers for model, adapter in (key,)}

    def edit(result: Result) -> Result:
        return replace(
            result,
            suite=replace(
                result.suite,
                tasks=(task,),
                models=tuple(
                    record(ModelFacts, {"name": one.name, "uri": "zoo:base", "revision": "r1", **made.model})
                    for one in result.suite.models
                ),
                adapters=(AdapterFacts(name="tuned", model="base", recipe="r", seed=0),),
            ),
            answers=tuple(
                replace(one, texts=str(n), prompts=made.prompts.get(systems[one.system], "p"))
                for n, one in enumerate(result.answers)
            ),
            manifest=record(RunFacts, {"seed": 0, "device": "cpu", **made.manifest}),
        )

    given = {system: [*map(made.answers[key], range(len(made.samples)))] for system, key in systems.items()}
    make_result(folder, made.samples, given, task=task, edit=edit)
    document = read_document(folder)
    made.edit(document)
    write_document(folder, document)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Callable[[Made, Made], tuple[str, str]]:
    """Makes A and B, and gives their names."""
    return lambda a, b: (str(make(tmp_path / "a", a)), str(make(tmp_path / "b", b)))
