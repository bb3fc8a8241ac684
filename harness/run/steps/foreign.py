"""Scores one system on one task by a metric that is somebody's own program.

A step of its own: where the program fails, the task's other scores stand, and the next run tries it again.
"""

from dataclasses import dataclass
from itertools import islice

from harness.files.json_lines import iterate_lines, to_json, write_json
from harness.metrics import NAMED, load
from harness.run.steps import Bench
from harness.scoring.accumulate import Tally
from harness.types import Generation, Sample, Score, System

VERSION = 1
LIBRARIES = ("evaluate", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignScore:
    """Needs the task's data and the system's score step, which keeps its answers."""

    task: str
    system: System
    metric: str
    script: str | None  # digest of the program, where it is a file
    primary: str
    samples: int  # the first so many of the test split


def run(spec: ForeignScore, bench: Bench) -> None:
    tally = Tally(load(spec.metric, code=NAMED))
    samples = islice(iterate_lines(bench.need(0) / "test.jsonl", Sample), spec.samples)
    answers = iterate_lines(bench.need(1) / "generations.jsonl", Generation)
    for sample, generation in zip(samples, answers, strict=True):
        tally.add(sample, generation)
    write_json(bench.folder / "scores.json", [to_json(one) for one in _scores(spec, tally)])
    bench.progress(spec.samples, spec.samples)


def _scores(spec: ForeignScore, tally: Tally) -> list[Score]:
    return [
        Score(
            task=spec.task,
            system=spec.system,
            metric=name,
            primary=name == spec.primary,
            signature=tally.signature(),
            unit=tally.metric.unit,
            better=tally.metric.better,
            value=value,
            low=None,
            high=None,
            n=tally.samples,
        )
        for name, value in tally.values().items()
    ]
