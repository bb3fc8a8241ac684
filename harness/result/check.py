"""Whether a RESULT folder's numbers follow from its generations: every score is computed again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness.result import Result, Rows, TaskFacts, read, read_generations, read_rows, read_samples
from harness.trivial import answer
from harness.types import Comparison, Generation, Sample, Score, System

EXACT = 1e-6  # points; what writing a double as JSON and parquet keeps by far
# Two bootstraps of 10,000 resamples put an end of a 95 % interval within 0.04 standard errors of each other
# (quantile standard error sqrt(0.025 * 0.975 / 10,000) / 0.0584 = 0.027, times sqrt 2): 5 % of the width is 5 of these.
SPREAD = 0.05


def check(folder: Path) -> list[str]:
    """What does not follow from the generations: scores, sample counts, rows, differences; empty when all does.

    Values, counts and rows must be equal; an interval may differ by what another resampling seed would move.
    """
    result = read(folder)
    samples: dict[str, dict[str, Sample]] = {}
    for task_name, sample in read_samples(folder):
        samples.setdefault(task_name, {})[sample.id] = sample
    answers: dict[tuple[str, System], dict[str, Generation]] = {}
    for task_name, system, generation in read_generations(folder):
        answers.setdefault((task_name, system), {})[generation.sample_id] = generation
    stored = read_rows(folder)
    known = _asked(result)
    problems = [
        f"{one.task} / {one.system} / {one.metric}: no metric of the task gives this score"
        for one in result.scores
        if (one.task, one.metric) not in known
    ]
    for task in result.suite.tasks:
        for system in dict.fromkeys(score.system for score in result.scores if score.task == task.name):
            asked = samples.get(task.name, {})
            given = answers.get((task.name, system)) or _trivial(system, asked)
            problems += _check_cell(result, task, system, asked, given, stored)
    return problems + _check_comparisons(result)


def _asked(result: Result) -> set[tuple[str, str]]:
    """Tasks with the names of their scores."""
    return {
        (task.name, name)
        for task in result.suite.tasks
        for plugin in task.metrics
        for name in metrics.score_names(plugin)
    }


def _trivial(system: System, samples: Mapping[str, Sample]) -> dict[str, Generation]:
    """A rule's answers are not kept: it gives them again."""
    if not system.model.startswith("trivial:"):
        return {}
    rule = system.model.removeprefix("trivial:")
    return {key: Generation(sample_id=key, text=answer(rule, sample)) for key, sample in samples.items()}


def _check_cell(
    result: Result,
    task: TaskFacts,
    system: System,
    samples: Mapping[str, Sample],
    answers: Mapping[str, Generation],
    stored: Mapping[tuple[str, System, str], Rows],
) -> list[str]:
    """One system on one task, under every metric of the task."""
    here = f"{task.name} / {system}"
    unknown = sorted(set(answers) - set(samples))
    if unknown:
        return [f"{here}: {len(unknown)} generations without a sample, the first {unknown[0]!r}"]
    if not answers:
        return [f"{here}: scores without generations"]
    ids = [key for key in samples if key in answers]
    pairs = [(samples[key], answers[key]) for key in ids]
    problems = []
    for plugin in task.metrics:
        metric = metrics.load(plugin)
        scores = {
            score.metric: score
            for score in result.scores
            if score.task == task.name and score.system == system and score.metric in metric.names
        }
        values, intervals, fresh = _recompute(metric, pairs, task, result.manifest)
        rows = stored.get((task.name, system, plugin))
        if fresh is not None:
            problems += _check_rows(f"{here} / {plugin}", ids, fresh, rows)
        for name, value in values.items():
            score = scores.get(name)
            if score is None:
                problems.append(f"{here} / {name}: no score, the generations give {value:.6f}")
                continue
            if score.n != len(ids):
                problems.append(f"{here} / {name}: n = {score.n} in result.json, {len(ids)} generations")
            if not abs(score.value - value) <= EXACT:
                problems.append(
                    f"{here} / {name}: {score.value:.6f} in result.json, {value:.6f} from the generations"
                )
            problems += _check_interval(f"{here} / {name}", score, intervals.get(name))
    return problems


def _recompute(
    metric: metrics.Metric,
    pairs: Sequence[tuple[Sample, Generation]],
    task: TaskFacts,
    manifest: Mapping[str, object],
) -> tuple[dict[str, float], dict[str, tuple[float, float]], NDArray[np.float64] | None]:
    """Values, intervals and rows [n, k] of one metric; a metric that is no function of sums has values only."""
    if metric.row is None or metric.value is None:
        assert metric.corpus is not None
        return dict(metric.corpus(*map(list, zip(*pairs, strict=True)))), {}, None
    rows = np.array([metric.row(sample, generation) for sample, generation in pairs], dtype=np.float64)
    values = dict(zip(metric.names, metric.value(rows.sum(0)).tolist(), strict=True))
    if metric.interval == "wilson":
        return values, {metric.names[0]: stats.wilson(*rows.sum(0))}, rows
    clusters = _clusters([sample for sample, _ in pairs], task.cluster)
    seed = manifest.get("seed")
    drawn = stats.bootstrap(rows, metric.value, seed=seed if isinstance(seed, int) else 0, clusters=clusters)
    ends = {name: stats.percentile_interval(drawn[:, index]) for index, name in enumerate(metric.names)}
    return values, ends, rows


def _clusters(samples: Sequence[Sample], column: str | None) -> list[int] | None:
    """A number per sample, equal where the cluster column is."""
    if column is None:
        return None
    numbers: dict[str, int] = {}
    return [numbers.setdefault(sample.metadata.get(column, ""), len(numbers)) for sample in samples]


def _check_rows(here: str, ids: Sequence[str], fresh: NDArray[np.float64], rows: Rows | None) -> list[str]:
    if rows is None:
        return [f"{here}: no rows in rows.parquet"]
    places = {key: index for index, key in enumerate(rows.ids)}
    missing = [key for key in ids if key not in places]
    if missing or len(rows.ids) != len(ids) or rows.stats.shape[1] != fresh.shape[1]:
        return [
            f"{here}: rows.parquet has {rows.stats.shape} rows and sums, the generations give {fresh.shape}"
        ]
    kept = rows.stats[[places[key] for key in ids]]
    off = np.flatnonzero(~np.isclose(kept, fresh, rtol=1e-9, atol=EXACT).all(1))
    if not off.size:
        return []
    first = off[0]
    return [
        f"{here}: {off.size} of {len(ids)} rows differ, the first for sample {ids[first]!r}: "
        f"{_numbers(kept[first])} in rows.parquet, {_numbers(fresh[first])} from its generation"
    ]


def _check_interval(here: str, score: Score, ends: tuple[float, float] | None) -> list[str]:
    if ends is None or score.low is None or score.high is None:
        return []
    low, high = (float(end) for end in ends)
    room = SPREAD * (high - low) + EXACT
    if abs(score.low - low) <= room and abs(score.high - high) <= room:
        return []
    return [
        f"{here}: interval [{score.low:.3f}, {score.high:.3f}] in result.json, "
        f"[{low:.3f}, {high:.3f}] from the generations"
    ]


def _check_comparisons(result: Result) -> list[str]:
    """Differences follow from the scores, and corrected p from the p of their family."""
    values = {(score.task, score.system, score.metric): score.value for score in result.scores}
    problems = []
    families: dict[str, list[Comparison]] = {}
    for one in result.comparisons:
        here = f"{one.task} / {one.candidate} against {one.baseline} / {one.metric}"
        if one.family is not None:
            families.setdefault(one.family, []).append(one)
        ends = [values.get((one.task, system, one.metric)) for system in (one.candidate, one.baseline)]
        if ends[0] is None or ends[1] is None:
            problems.append(f"{here}: a comparison of systems without scores")
        elif not abs(one.difference - (ends[0] - ends[1])) <= EXACT:
            problems.append(
                f"{here}: difference {one.difference:.6f} in result.json, {ends[0] - ends[1]:.6f} from the scores"
            )
    for members in families.values():
        corrected = stats.holm([one.p for one in members])
        for one, p_holm in zip(members, corrected, strict=True):
            if one.p_holm is None or not abs(one.p_holm - float(p_holm)) <= EXACT:
                problems.append(
                    f"{one.task} / {one.candidate} against {one.baseline} / {one.metric}: "
                    f"p_holm {one.p_holm} in result.json, {float(p_holm):.6f} from the p of its family"
                )
    return problems


def _numbers(row: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in row) + ")"
