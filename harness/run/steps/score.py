"""Scores one system on one task: a row of sums per sample and metric, then the numbers with their intervals.

Samples and answers pass by one at a time; what is kept of each is its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from harness.errors import StepError
from harness.files.json_lines import flush, iterate_lines, line, to_json, write_json
from harness.metrics import load
from harness.run.steps import Bench
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.tasks import rules as trivial
from harness.types import Generation, Sample, Score, System

VERSION = 1
LIBRARIES = ("rouge_score", "nltk", "sacrebleu", "evaluate", "numpy")
REPORTED = 64  # samples between two words on the progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAnswers:
    """Needs the task's data and the blocks of answers; a trivial rule needs the data alone."""

    task: str
    system: System
    metrics: tuple[str, ...]
    primary: str
    cluster: str | None
    rule: str | None  # "lead-3": what answers instead of a model
    samples: int  # the first so many of the test split
    seed: int


def run(spec: ScoreAnswers, bench: Bench) -> None:
    tallies = {name: Tally(load(name)) for name in spec.metrics}
    ids: list[str] = []
    labels: list[str] = []  # equal ones for samples that are resampled together
    with (bench.folder / "generations.jsonl").open("w", encoding="utf-8", errors="surrogatepass") as file:
        for sample, generation in answered(spec, bench):
            file.write(line(generation))
            ids.append(sample.id)
            if spec.cluster is not None:
                labels.append(sample.metadata[spec.cluster])
            for tally in tallies.values():
                tally.add(sample, generation)
            if len(ids) % REPORTED == 0:
                bench.progress(len(ids), spec.samples)
        flush(file)
    together = None if spec.cluster is None else numbered(labels)
    scores = [one for tally in tallies.values() for one in score(spec, tally, together)]
    rows = {name: table for name, tally in tallies.items() if (table := tally.rows()) is not None}
    write_json(bench.folder / "scores.json", [to_json(one) for one in scores])
    write_json(bench.folder / "ids.json", ids)
    write_json(bench.folder / "clusters.json", together)
    np.savez(bench.folder / "rows.npz", **rows)  # type: ignore[arg-type]
    bench.progress(spec.samples, spec.samples)


def answered(spec: ScoreAnswers, bench: Bench) -> Iterator[tuple[Sample, Generation]]:
    """Each sample with its answer, in data order, in which every block keeps its answers. One without is a StepError."""
    samples = islice(iterate_lines(bench.need(0) / "test.jsonl", Sample), spec.samples)
    if spec.rule is not None:
        for sample in samples:
            yield sample, Generation(sample_id=sample.id, text=trivial.answer(spec.rule, sample))
        return
    blocks = (folder / "generations.jsonl" for _, folder in bench.needs[1:])
    generations = chain.from_iterable(iterate_lines(block, Generation) for block in blocks)
    generation = next(generations, None)
    unanswered: list[str] = []
    for sample in samples:
        if generation is None or generation.sample_id != sample.id:
            unanswered.append(sample.id)
            continue
        yield sample, generation
        generation = next(generations, None)
    if unanswered:
        raise StepError(f"{spec.task}: {len(unanswered)} samples have no answer, the first {unanswered[0]!r}")


def score(spec: ScoreAnswers, tally: Tally, clusters: list[int] | None) -> list[Score]:
    metric, intervals = tally.metric, tally.intervals(spec.seed, clusters)
    return [
        Score(
            task=spec.task,
            system=spec.system,
            metric=name,
            primary=name == spec.primary,
            signature=tally.signature(),
            unit=metric.unit,
            better=metric.better,
            value=value,
            low=intervals[name][0] if name in intervals else None,
            high=intervals[name][1] if name in intervals else None,
            n=tally.samples,
        )
        for name, value in tally.values().items()
    ]
