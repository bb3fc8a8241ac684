"""Scores one system on one task by a metric that is somebody's own program.

A step of its own: where the program fails, the task's other scores stand, and the next run tries it again.
"""

from dataclasses import dataclass
from itertools import islice

from harness.files.json_lines import iterate_lines
from harness.metrics import NAMED, load
from harness.run.steps import ANSWERS, Contribution, Finished, StepContext, split_file
from harness.scoring import stored
from harness.scoring.accumulate import Tally
from harness.types import Generation, Sample, Score, System

VERSION = 1
LIBRARIES = ("evaluate", "numpy")
LANE = True
TOLERANT = False
FILES = (stored.SCORES,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignScore:
    """Needs the task's data and the system's score step, which keeps its answers."""

    task: str
    system: System
    metric: str
    script: str | None  # digest of the program, where it is a file
    primary: str
    samples: int  # the first so many of the test split


def run(spec: ForeignScore, context: StepContext) -> None:
    tally = Tally(load(spec.metric, code=NAMED))
    samples = islice(iterate_lines(split_file(context.need(0), "test"), Sample), spec.samples)
    answers = iterate_lines(context.need(1) / ANSWERS, Generation)
    for sample, generation in zip(samples, answers, strict=True):
        tally.add(sample, generation)
    stored.write_scores(context.folder, _scores(spec, tally))
    context.progress(spec.samples, spec.samples)


def contributes(finished: Finished) -> Contribution:
    """Return the scores of the system by the program."""
    return Contribution(scores=stored.read_scores(finished.folder))


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
