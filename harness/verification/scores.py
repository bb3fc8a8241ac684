"""Check whether the numbers of a RESULT folder follow from its generations: every score is recomputed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness.errors import ForeignCode, ResultError
from harness.metrics import OWN, Code, Metric
from harness.results import Result, TaskFacts, read, read_generations
from harness.results.digests import RunningDigest, check_digests, noted
from harness.results.document import check_files, read_document, unchanged
from harness.results.missing import missing
from harness.results.rows import RowFile, Rows, open_rows
from harness.scoring.accumulate import Tally
from harness.scoring.agreement import EXACT, agrees
from harness.types import Comparison, Generation, Score, System
from harness.verification.comparisons import SPREAD, SystemRows, check_comparisons, said
from harness.verification.samples import Samples, add_answers, by_rule, unpacked
from harness.verification.verdicts import CheckedVerdicts, check_verdicts

VERSION = re.compile(r"^version:|:v?[0-9]+(\.[0-9]+)+[^|]*$")

Plugins = Mapping[str, Metric | str]  # by name: the metric, or why its code is not run


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """One system on one task, and the metrics that score its answers."""

    result: Result
    task: TaskFacts
    system: System
    plugins: Plugins

    @property
    def here(self) -> str:
        """Return the task and the system as messages name them."""
        return f"{self.task.name} / {self.system}"

    @property
    def withheld(self) -> bool:
        """Return whether this copy leaves out the task's texts."""
        return self.task.name in self.result.withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class TalliedAnswers:
    """The answers of one system on one task, under each metric."""

    ids: tuple[str, ...]  # of the samples, in the order of the answers
    clusters: tuple[int, ...] | None  # a number for each sample; None: samples are resampled one by one
    tallies: Mapping[str, Tally]  # by metric plug-in


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of a check: what is wrong with a RESULT, and what could not be checked."""

    problems: tuple[str, ...]  # a sentence each
    not_recomputed: tuple[str, ...]  # metrics whose code was not run, a sentence for each metric of a task
    recomputed: int  # number of scores
    remarks: tuple[str, ...] = ()  # differences that are no fault, a sentence each


def check(folder: Path, code: Code = OWN) -> Checked:
    """Return what does not follow from the generations: scores, sample counts, rows, comparisons, verdicts.

    Values, counts and rows must be equal. An interval may differ by as much as another resampling seed would move it;
    so may a comparison that was made by another version of the harness or of numpy.
    For tasks whose texts a copy withholds, everything is checked against the stored rows.
    Answers are read one system after the other, and only their rows stay in memory.
    """
    result = read(folder, changed=True)
    document = read_document(folder, changed=True)
    plugins = {task.name: _plugins(task, code) for task in result.suite.tasks}
    problems = check_files(folder, document)
    if not unchanged(document):
        problems.append(f"{folder / 'result.json'}: changed since it was written (its digest differs)")
    left_out, unknown = _not_recomputed(result, plugins)
    foreign = {
        (score.task, score.metric) for score in result.scores if _foreign(score, plugins.get(score.task, {}))
    }
    problems += [
        f"{score.task} / {score.system} / {score.metric}: no metric of the task gives this score"
        for score in unknown
    ]
    cells = {
        (task.name, score.system): task
        for task in result.suite.tasks
        for score in result.scores
        if score.task == task.name
    }
    found: dict[tuple[str, System], list[str]] = {}
    recomputed: dict[tuple[str, System], SystemRows] = {}
    answer_digests: dict[tuple[str, System], RunningDigest] = {}
    with TemporaryDirectory() as place, open_rows(folder) as stored:
        sample_digests: dict[str, RunningDigest] = {}
        samples = unpacked(folder, Path(place), sample_digests)
        for (name, system), answers in groupby(read_generations(folder), key=lambda line: line[:2]):
            if (name, system) in found:
                found[name, system] = [f"{name} / {system}: generations in more than one place of the file"]
            elif (task := cells.get((name, system))) is not None:
                own = samples.get(name, Samples())
                counted = answer_digests.setdefault((name, system), RunningDigest())
                given = noted((generation for _, _, generation in answers), counted)
                asked = ToCheck(result=result, task=task, system=system, plugins=plugins[name])
                found[name, system] = _check_system(asked, own, given, stored, recomputed)
        for (name, system), task in cells.items():
            if (name, system) not in found:
                own = samples.get(name, Samples())
                asked = ToCheck(result=result, task=task, system=system, plugins=plugins[name])
                found[name, system] = _check_system(asked, own, by_rule(system, own), stored, recomputed)
    problems += _check_scores(result)
    for place_of in cells:
        problems += found[place_of]
    problems += check_digests(result, sample_digests, answer_digests)
    problems += [*_check_comparisons(result), *check_comparisons(result, recomputed, foreign, code)]
    whole = unchanged(document) and not check_files(folder, document)  # gates judge no changed RESULT
    verdicts = check_verdicts(result) if whole else CheckedVerdicts()
    return Checked(
        problems=(*problems, *verdicts.problems),
        not_recomputed=tuple(
            f"{task.name}: {because}"
            for task in result.suite.tasks
            for because in plugins[task.name].values()
            if isinstance(because, str)
        ),
        recomputed=len(result.scores) - left_out,
        remarks=(
            *([f"{lacks.word} RESULT: {lacks.sentence}"] if (lacks := missing(result.steps)) else []),
            *dict.fromkeys(_other_versions(result, plugins)),
            *filter(None, [verdicts.left]),
        ),
    )


def _check_scores(result: Result) -> list[str]:
    """Return a sentence for each score that is listed twice, or is wrongly marked as the primary one or as another."""
    problems = []
    primary = {task.name: task.primary for task in result.suite.tasks}
    seen = set()
    for score in result.scores:
        key = score.task, score.system, score.metric
        here = f"{score.task} / {score.system} / {score.metric}"
        if key in seen:
            problems.append(f"{here}: scored twice in result.json")
        seen.add(key)
        if score.task in primary and score.primary != (score.metric == primary[score.task]):
            problems.append(
                f"{here}: primary {score.primary} in result.json, the task's primary metric is {primary[score.task]}"
            )
    return problems


def _plugins(task: TaskFacts, code: Code) -> Plugins:
    """Return the task's metrics by name; for a metric whose code is not run, the reason."""
    found: dict[str, Metric | str] = {}
    for name in task.metrics:
        try:
            found[name] = metrics.load(name, code=code)
        except ForeignCode as error:
            found[name] = str(error)
    return found


def _not_recomputed(result: Result, plugins: Mapping[str, Plugins]) -> tuple[int, list[Score]]:
    """Return how many scores are of metrics whose code is not run, and the scores that no metric of the task gives."""
    foreign, unknown = 0, []
    for score in result.scores:
        plugin = _plugin_of(score, plugins.get(score.task, {}))
        if plugin is None:
            unknown.append(score)
        elif isinstance(plugins[score.task][plugin], str):
            foreign += 1
    return foreign, unknown


def _foreign(score: Score, plugins: Plugins) -> bool:
    """Return whether the score's metric is one whose code is not run."""
    plugin = _plugin_of(score, plugins)
    return plugin is not None and isinstance(plugins[plugin], str)


def _plugin_of(score: Score, plugins: Plugins) -> str | None:
    """Return the name of the plug-in that gives a score.

    A foreign metric that gives several numbers names them `evaluate:NAME.KEY`.
    """
    for plugin in plugins:
        if metrics.gives(plugin, score.metric):
            return plugin
    return None


def _check_system(
    asked: ToCheck,
    samples: Samples,
    answers: Iterator[Generation],
    stored: RowFile,
    recomputed: dict[tuple[str, System], SystemRows],
) -> list[str]:
    """Check one system on one task, under every metric of the task that may be run, and add its rows to `recomputed`."""
    task, system, here = asked.task, asked.system, asked.here
    try:
        answered = _tallied(asked, samples, answers)
    except ResultError as error:
        return [str(error)]
    if not answered.ids:
        return [f"{here}: scores without generations"]
    problems: list[str] = []
    kept: dict[str, NDArray[np.float64]] = {}
    recomputed[task.name, system] = SystemRows(ids=answered.ids, clusters=answered.clusters, rows=kept)
    for plugin, tally in answered.tallies.items():
        rows = stored.get((task.name, system, plugin))
        if not asked.withheld:
            problems += _check_rows(f"{here} / {plugin}", answered.ids, tally.rows(), rows)
        elif tally.metric.row is None:
            continue  # it scores texts, and there are none
        elif rows is not None and rows.ids == answered.ids:
            tally.add_rows(rows.stats)
        else:
            problems.append(
                f"{here} / {plugin}: rows.parquet does not have the rows of its {len(answered.ids)} answers"
            )
            continue
        if (fresh := tally.rows()) is not None:
            kept[plugin] = fresh
        problems += _check_scores_of(asked, tally, answered.clusters)
    return problems


def _tallied(asked: ToCheck, samples: Samples, answers: Iterator[Generation]) -> TalliedAnswers:
    """Return the answers under every metric that may be run; without their texts, their ids and clusters alone."""
    tallies = {name: Tally(metric) for name, metric in asked.plugins.items() if isinstance(metric, Metric)}
    filled = () if asked.withheld else tuple(tallies.values())
    ids, clusters = add_answers(asked.here, samples, answers, filled, asked.task.cluster)
    return TalliedAnswers(ids=ids, clusters=None if clusters is None else tuple(clusters), tallies=tallies)


def _check_scores_of(asked: ToCheck, tally: Tally, clusters: tuple[int, ...] | None) -> Iterator[str]:
    """Yield what does not follow from one metric's tally: values, intervals, units and signatures."""
    whose = asked.task.name, asked.system
    scores = {score.metric: score for score in asked.result.scores if (score.task, score.system) == whose}
    intervals = tally.intervals(asked.result.seed, clusters)
    for name, value in tally.values().items():
        here, score = f"{asked.here} / {name}", scores.get(name)
        yield from _check_score(here, score, value, tally.samples)
        yield from _check_interval(here, score, intervals.get(name))
        if score is not None:
            yield from _check_meaning(here, score, tally)


def _check_score(here: str, score: Score | None, value: float, n: int) -> list[str]:
    if score is None:
        return [f"{here}: no score, the generations give {value:.6f}"]
    problems = []
    if score.n != n:
        problems.append(f"{here}: n = {score.n} in result.json, {n} generations")
    if not agrees(score, value, score.n):
        problems.append(f"{here}: {score.value:.6f} in result.json, {value:.6f} from the generations")
    return problems


def _check_meaning(here: str, score: Score, tally: Tally) -> list[str]:
    """Return what of a score's unit and direction differs from its metric; library versions may differ."""
    metric = tally.metric
    problems = [
        f"{here}: {name} {told} in result.json, {own} is the metric's"
        for name, told, own in (("better", score.better, metric.better), ("unit", score.unit, metric.unit))
        if told != own
    ]
    if unversioned(score.signature) != unversioned(metric.signature):
        problems.append(
            f"{here}: signature {score.signature} in result.json, {tally.signature()} is the metric's"
        )
    if metric.formula is None and (score.low, score.high) != (None, None):
        problems.append(f"{here}: an interval in result.json, the metric has none")
    return problems


def unversioned(signature: str) -> tuple[str, ...]:
    """Return a signature's settings without library versions and the number of references, which depends on the data."""
    return tuple(
        setting
        for setting in signature.split("|")
        if not VERSION.search(setting) and not setting.startswith("nrefs:")
    )


def _other_versions(result: Result, plugins: Mapping[str, Plugins]) -> Iterator[str]:
    """Yield a sentence for each score that another version of its metric's library made."""
    for score in result.scores:
        of_task = plugins.get(score.task, {})
        metric = of_task.get(_plugin_of(score, of_task) or "")
        if isinstance(metric, Metric):
            recorded, installed = _versions(score.signature), _versions(metric.signature)
            if recorded != installed:
                yield f"{score.task} / {score.metric}: made by another version: {recorded}, here {installed}"


def _versions(signature: str) -> str:
    return "|".join(setting for setting in signature.split("|") if VERSION.search(setting))


def _check_rows(
    here: str,
    ids: Sequence[str],
    fresh: NDArray[np.float64] | None,  # None: the metric has no rows
    rows: Rows | None,
) -> list[str]:
    if fresh is None:
        return []
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
    if score is None or ends is None:
        return []
    if score.low is None or score.high is None:
        return [f"{here}: no interval in result.json, [{ends[0]:.3f}, {ends[1]:.3f}] from the generations"]
    low, high = (float(end) for end in ends)
    room = SPREAD * (high - low) + EXACT
    if abs(score.low - low) <= room and abs(score.high - high) <= room:
        return []
    return [
        f"{here}: interval [{score.low:.3f}, {score.high:.3f}] in result.json, "
        f"[{low:.3f}, {high:.3f}] from the generations"
    ]


def _check_comparisons(result: Result) -> list[str]:
    """Return a sentence for each difference that does not follow from the scores, or corrected p from its family's p."""
    values = {(score.task, score.system, score.metric): score.value for score in result.scores}
    problems = []
    families: dict[str, list[Comparison]] = {}
    for comparison in result.comparisons:
        here = said(comparison)
        if comparison.family is None and comparison.p_holm is not None:
            problems.append(f"{here}: p_holm {comparison.p_holm} outside every family")
        if comparison.family is not None:
            families.setdefault(comparison.family, []).append(comparison)
        ends = [
            values.get((comparison.task, system, comparison.metric))
            for system in (comparison.candidate, comparison.baseline)
        ]
        if ends[0] is None or ends[1] is None:
            problems.append(f"{here}: a comparison of systems without scores")
        elif not abs(comparison.difference - (ends[0] - ends[1])) <= EXACT:
            problems.append(
                f"{here}: difference {comparison.difference:.6f} in result.json, {ends[0] - ends[1]:.6f} from the scores"
            )
    for members in families.values():
        if impossible := [comparison for comparison in members if not 0 <= comparison.p <= 1]:
            problems += [
                f"{said(comparison)}: p = {comparison.p} is no probability" for comparison in impossible
            ]
            continue
        corrected = stats.holm([comparison.p for comparison in members])
        for comparison, p_holm in zip(members, corrected, strict=True):
            if comparison.p_holm is None or not abs(comparison.p_holm - float(p_holm)) <= EXACT:
                problems.append(
                    f"{said(comparison)}: p_holm {comparison.p_holm} in result.json, "
                    f"{float(p_holm):.6f} from the p of its family"
                )
    return problems


def _numbers(row: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in row) + ")"
