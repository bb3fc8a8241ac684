"""Whether a RESULT folder's numbers follow from its generations: every score is computed again."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness.errors import ResultError
from harness.result import Result, TaskFacts, read, read_generations
from harness.result.answered import Samples, by_rule, paired, unpacked
from harness.result.document import check_files, read_document, unchanged
from harness.result.rows import RowFile, Rows, open_rows
from harness.tally import Tally
from harness.types import Comparison, Generation, Score, System

EXACT = 1e-6  # points; what writing a double as JSON and parquet keeps by far
# Two bootstraps of 10,000 resamples put an end of a 95 % interval within 0.04 standard errors of each other
# (quantile standard error sqrt(0.025 * 0.975 / 10,000) / 0.0584 = 0.027, times sqrt 2): 5 % of the width is 5 of these.
SPREAD = 0.05


def check(folder: Path) -> list[str]:
    """What does not follow from the generations: scores, sample counts, rows, differences; empty when all does.

    Values, counts and rows must be equal; an interval may differ by what another resampling seed would move.
    Of tasks whose texts were withheld from a copy, the rows are taken as they are, and all else is held against them.
    The answers pass by, one system's after the other's; of each only its rows are held.
    """
    result = read(folder, changed=True)
    document = read_document(folder, changed=True)
    known = _asked(result)
    problems = check_files(folder, document)
    if not unchanged(document):
        problems.append(f"{folder / 'result.json'}: changed since it was written (its digest differs)")
    problems += [
        f"{one.task} / {one.system} / {one.metric}: no metric of the task gives this score"
        for one in result.scores
        if (one.task, one.metric) not in known
    ]
    cells = {
        (task.name, score.system): task
        for task in result.suite.tasks
        for score in result.scores
        if score.task == task.name
    }
    found: dict[tuple[str, System], list[str]] = {}
    with TemporaryDirectory() as place, open_rows(folder) as stored:
        samples = unpacked(folder, Path(place))
        for (name, system), answers in groupby(read_generations(folder), key=lambda one: one[:2]):
            if (name, system) in found:
                found[name, system] = [f"{name} / {system}: generations in more than one place of the file"]
            elif (task := cells.get((name, system))) is not None:
                own = samples.get(name, Samples())
                given = (generation for _, _, generation in answers)
                found[name, system] = _check_cell(result, task, system, own, given, stored)
        for (name, system), task in cells.items():
            if (name, system) not in found:
                own = samples.get(name, Samples())
                found[name, system] = _check_cell(result, task, system, own, by_rule(system, own), stored)
    for cell in cells:
        problems += found[cell]
    return problems + _check_comparisons(result)


def _asked(result: Result) -> set[tuple[str, str]]:
    """Tasks with the names of their scores."""
    return {
        (task.name, name)
        for task in result.suite.tasks
        for plugin in task.metrics
        for name in metrics.score_names(plugin)
    }


def _check_cell(
    result: Result,
    task: TaskFacts,
    system: System,
    samples: Samples,
    answers: Iterator[Generation],
    stored: RowFile,
) -> list[str]:
    """One system on one task, under every metric of the task."""
    here = f"{task.name} / {system}"
    bare = task.name in result.withheld
    tallies = {plugin: Tally(metrics.load(plugin)) for plugin in task.metrics}
    ids: list[str] = []
    clusters: dict[str, int] = {}
    labels: list[int] = []
    try:
        for sample, generation in paired(here, samples, answers):
            ids.append(sample.id)
            labels.append(clusters.setdefault(sample.metadata.get(task.cluster or "", ""), len(clusters)))
            for tally in () if bare else tallies.values():
                tally.add(sample, generation)
    except ResultError as error:
        return [str(error)]
    if not ids:
        return [f"{here}: scores without generations"]
    problems = []
    scores = {one.metric: one for one in result.scores if (one.task, one.system) == (task.name, system)}
    for plugin, tally in tallies.items():
        rows = stored.get((task.name, system, plugin))
        if bare and tally.metric.row is None:
            continue  # judges texts alone
        if bare and rows is not None and rows.ids == tuple(ids):
            tally.add_rows(rows.stats)
        elif bare:
            problems.append(
                f"{here} / {plugin}: rows.parquet does not hold the rows of its {len(ids)} answers"
            )
            continue
        elif (fresh := tally.rows()) is not None:
            problems += _check_rows(f"{here} / {plugin}", ids, fresh, rows)
        intervals = tally.intervals(_seed(result), labels if task.cluster else None)
        for name, value in tally.values().items():
            problems += _check_score(f"{here} / {name}", scores.get(name), value, tally.samples)
            problems += _check_interval(f"{here} / {name}", scores.get(name), intervals.get(name))
    return problems


def _seed(result: Result) -> int:
    seed = result.manifest.get("seed")
    return seed if isinstance(seed, int) else 0


def _check_score(here: str, score: Score | None, value: float, n: int) -> list[str]:
    if score is None:
        return [f"{here}: no score, the generations give {value:.6f}"]
    problems = []
    if score.n != n:
        problems.append(f"{here}: n = {score.n} in result.json, {n} generations")
    if not abs(score.value - value) <= EXACT:
        problems.append(f"{here}: {score.value:.6f} in result.json, {value:.6f} from the generations")
    return problems


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


def _check_interval(here: str, score: Score | None, ends: tuple[float, float] | None) -> list[str]:
    if score is None or ends is None or score.low is None or score.high is None:
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
