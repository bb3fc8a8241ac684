"""Score one system on one task by a metric that is a program of other people.

Such a metric has a step of its own: if the program fails, the task's other scores stay, and the next run tries it again.
"""

from dataclasses import dataclass
from itertools import islice

from harness.files.json_lines import iterate_lines
from harness.metrics import NAMED, load
from harness.run.steps import ANSWERS, Contribution, Finished, StepContext, split_file
from harness.scoring import stored, warned
from harness.scoring.accumulate import Tally
from harness.types import Generation, Sample, Score, System

VERSION = 1
LIBRARIES = ("evaluate", "numpy")
LANE = True
TOLERANT = False
FILES = (stored.SCORES, warned.FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignScore:
    """The settings of the step. It needs the task's data and the system's score step, which keeps the answers."""

    task: str
    system: System
    metric: str
    script: str | None  # digest of the program, where it is a file
    primary: str
    samples: int  # how many of the test split, counted from the first


def run(spec: ForeignScore, context: StepContext) -> None:
    """Score the system's answers by the program."""
    tally = Tally(load(spec.metric, code=NAMED))
    samples = islice(iterate_lines(split_file(context.need(0), "test"), Sample), spec.samples)
    answers = iterate_lines(context.need(1) / ANSWERS, Generation)
    for sample, generation in zip(samples, answers, strict=True):
        tally.add(sample, generation)
    with warned.heard() as messages:
        stored.write_scores(context.folder, _scores(spec, tally))
    warned.write(context.folder, [tally], messages, tally.samples)
    context.progress(spec.samples, spec.samples)


def contributes(finished: Finished) -> Contribution:
    """Return the scores of the system by the program, and the warnings of the libraries that the program uses."""
    return Contribution(
        scores=stored.read_scores(finished.folder), notes=warned.notes(finished.folder, finished.where)
    )


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
