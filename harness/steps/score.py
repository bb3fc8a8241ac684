"""Scores one system on one task: a row of sums per sample and metric, then the numbers with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from harness import stats, trivial
from harness.errors import StepError
from harness.metrics import Metric, load
from harness.records import iterate_lines, read_lines, to_json, write_json, write_lines
from harness.steps import Bench
from harness.types import Generation, Sample, Score, System

VERSION = 1
LIBRARIES = ("rouge_score", "nltk", "sacrebleu", "evaluate", "numpy")


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
    samples = list(islice(iterate_lines(bench.need(0) / "test.jsonl", Sample), spec.samples))
    generations = _answers(spec, samples, [folder for _, folder in bench.needs[1:]])
    write_lines(bench.folder / "generations.jsonl", generations)
    scores, rows = [], {}
    for done, name in enumerate(spec.metrics, start=1):
        metric = load(name)
        table = metric_rows(metric, samples, generations)
        if table is not None:
            rows[name] = table
        scores += score(spec, metric, samples, generations, table)
        bench.progress(done, len(spec.metrics))
    write_json(bench.folder / "scores.json", [to_json(one) for one in scores])
    write_json(bench.folder / "ids.json", [sample.id for sample in samples])
    write_json(bench.folder / "clusters.json", clusters(spec.cluster, samples))
    np.savez(bench.folder / "rows.npz", **rows)  # type: ignore[arg-type]


def metric_rows(metric: Metric, samples: list[Sample], generations: list[Generation]) -> "np.ndarray | None":
    """float64 [samples, k]; None for a metric that is no function of sums."""
    if metric.row is None:
        return None
    return np.array([metric.row(s, g) for s, g in zip(samples, generations, strict=True)], dtype=np.float64)


def score(
    spec: ScoreAnswers,
    metric: Metric,
    samples: list[Sample],
    generations: list[Generation],
    rows: "np.ndarray | None",
) -> list[Score]:
    values, intervals = _values(spec, metric, samples, generations, rows)
    return [
        Score(
            task=spec.task,
            system=spec.system,
            metric=name,
            primary=name == spec.primary,
            signature=metric.signature_on(samples),
            unit=metric.unit,
            better=metric.better,
            value=value,
            low=intervals[name][0] if name in intervals else None,
            high=intervals[name][1] if name in intervals else None,
            n=len(samples),
        )
        for name, value in values.items()
    ]


def _values(
    spec: ScoreAnswers,
    metric: Metric,
    samples: list[Sample],
    generations: list[Generation],
    rows: "np.ndarray | None",
) -> tuple[Mapping[str, float], Mapping[str, tuple[float, float]]]:
    if rows is None or metric.value is None:
        assert metric.corpus is not None
        return metric.corpus(samples, generations), {}
    total = rows.sum(axis=0)
    values = dict(zip(metric.names, map(float, metric.value(total)), strict=True))
    grouped = clusters(spec.cluster, samples)
    if len(set(grouped or range(len(samples)))) < 2:
        return values, {}  # one sample, or one cluster of them, says nothing of chance
    if metric.interval == "wilson" and grouped is None:
        return values, {metric.names[0]: stats.wilson(total[0], total[1])}
    resampled = stats.bootstrap(rows, metric.value, seed=spec.seed, clusters=grouped)
    return values, {name: stats.percentile_interval(resampled[:, i]) for i, name in enumerate(metric.names)}


def clusters(column: str | None, samples: list[Sample]) -> list[int] | None:
    """A number for each sample, equal for those that are resampled together."""
    if column is None:
        return None
    numbers: dict[str, int] = {}
    return [numbers.setdefault(sample.metadata[column], len(numbers)) for sample in samples]


def _answers(spec: ScoreAnswers, samples: list[Sample], blocks: list[Path]) -> list[Generation]:
    """One answer a sample, in the samples' order."""
    if spec.rule is not None:
        return [Generation(sample_id=sample.id, text=trivial.answer(spec.rule, sample)) for sample in samples]
    found = {g.sample_id: g for block in blocks for g in read_lines(block / "generations.jsonl", Generation)}
    unanswered = [sample.id for sample in samples if sample.id not in found]
    if unanswered:
        raise StepError(f"{spec.task}: {len(unanswered)} samples have no answer, the first {unanswered[0]!r}")
    return [found[sample.id] for sample in samples]
