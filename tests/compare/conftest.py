"""Small RESULT folders, consistent in themselves: whatever a test changes is changed before they are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from harness import metrics
from harness.files.zipped import write_zipped
from harness.results.document import write_document
from harness.types import Generation, Sample

BASE, TUNED = ("base", None), ("base", "tuned")
ROWS = pa.schema(
    [
        *((name, pa.string()) for name in ("task", "model", "adapter")),
        ("shots", pa.int32()),
        *((name, pa.string()) for name in ("metric", "sample_id")),
        ("stats", pa.list_(pa.float64())),
    ]
)
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
    folder.mkdir(parents=True)
    task = TASK | dict(made.task)
    name = task["name"]
    scores: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    generations: list[dict[str, Any]] = []
    for (model, adapter), say in made.answers.items():
        whose = {"task": name, "model": model, "adapter": adapter, "shots": 0}
        given = [Generation(sample_id=one.id, text=say(i)) for i, one in enumerate(made.samples)]
        generations += [
            {**whose, "sample_id": one.sample_id, "text": one.text, "prompt_digest": "0" * 16}
            for one in given
        ]
        for plugin in task["metrics"]:
            metric = metrics.load(plugin)
            assert metric.row and metric.value
            table = np.array(
                [metric.row(s, g) for s, g in zip(made.samples, given, strict=True)], dtype=float
            )
            rows += [
                {**whose, "metric": plugin, "sample_id": s.id, "stats": list(map(float, row))}
                for s, row in zip(made.samples, table, strict=True)
            ]
            scores += [
                {**whose, "metric": one, "primary": one == task["primary"], "unit": metric.unit, "value": float(value),
                 "signature": metric.signature_on(made.samples), "better": metric.better, "low": None, "high": None,
                 "n": len(table)}
                for one, value in zip(metric.names, metric.value(table.sum(axis=0)), strict=True)
            ]  # fmt: skip
    parquet.write_table(pa.Table.from_pylist(rows, schema=ROWS), folder / "rows.parquet")
    write_zipped(folder / "generations.jsonl.gz", generations)
    write_zipped(
        folder / "samples.jsonl.gz",
        [
            {"task": name, "sample_id": one.id, "input": one.input, "references": list(one.references),
             "metadata": dict(one.metadata)}
            for one in made.samples
        ],
    )  # fmt: skip
    document = {
        "schema": 1,
        "suite": {
            "name": "small",
            "tasks": [task],
            "models": [{"name": "base", "uri": "zoo:base", "revision": "r1", **made.model}],
            "adapters": [{"name": "tuned", "model": "base", "recipe": "r", "seed": 0}],
        },
        "scores": scores,
        "comparisons": [],
        "answers": [
            {"task": name, "model": model, "adapter": adapter, "shots": 0, "texts": str(n), "n": len(made.samples),
             "prompts": made.prompts.get((model, adapter), "p")}
            for n, (model, adapter) in enumerate(made.answers)
        ],
        "manifest": {"seed": 0, "device": "cpu", "libraries": {}, **made.manifest},
    }  # fmt: skip
    made.edit(document)
    write_document(folder, document)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Callable[[Made, Made], tuple[str, str]]:
    """Makes A and B, and gives their names."""
    return lambda a, b: (str(make(tmp_path / "a", a)), str(make(tmp_path / "b", b)))
