"""Whether a RESULT folder's numbers follow from its generations: every score is computed again."""

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
from harness.results.rows import RowFile, Rows, open_rows
from harness.scoring.accumulate import Tally
from harness.scoring.agreement import EXACT, agrees
from harness.scoring.clusters import numbered
from harness.types import Comparison, Generation, Score, System
from harness.verification.comparisons import SPREAD, SystemRows, check_comparisons, said
from harness.verification.samples import Samples, by_rule, paired, unpacked
from harness.verification.verdicts import Judged, check_verdicts

VERSION = re.compile(r"^version:|:v?[0-9]+(\.[0-9]+)+[^|]*$")

Plugins = Mapping[str, Metric | str]  # by their names; or why a metric's code is not run


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """What one system was to answer, and by which metrics its answers are judged."""

    result: Result
    task: TaskFacts
    system: System
    plugins: Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found wrong, and what could not be looked at."""

    problems: tuple[str, ...]  # a sentence each
    not_recomputed: tuple[str, ...]  # metrics whose code was not run, a sentence for each metric of a task
    recomputed: int  # scores
    remarks: tuple[str, ...] = ()  # what is otherwise than here, and no fault


def check(folder: Path, code: Code = OWN) -> Checked:
    """Return what does not follow from the generations: scores, sample counts, rows, comparisons.

    Values, counts and rows must be equal; an interval may differ by what another resampling seed would move, as may what
    another version of the harness or of numpy compared.
    Of tasks whose texts were withheld from a copy, the rows are taken as they are, and all else is held against them.
    The answers pass by, one system's after the other's; of each only its rows are held.
    """
    result = read(folder, changed=True)
    document = read_document(folder, changed=True)
    plugins = {task.name: _plugins(task, code) for task in result.suite.tasks}
    problems = check_files(folder, document)
    if not unchanged(document):
        problems.append(f"{folder / 'result.json'}: changed since it was written (its digest differs)")
    left_out, unknown = _not_recomputed(result, plugins)
    foreign = {(one.task, one.metric) for one in result.scores if _foreign(one, plugins.get(one.task, {}))}
    problems += [
        f"{one.task} / {one.system} / {one.metric}: no metric of the task gives this score" for one in unknown
    ]
    cells = {
        (task.name, score.system): task
        for task in result.suite.tasks
        for score in result.scores
        if score.task == task.name
    }
    found: dict[tuple[str, System], list[str]] = {}
    held: dict[tuple[str, System], SystemRows] = {}
    passed: dict[tuple[str, System], RunningDigest] = {}
    with TemporaryDirectory() as place, open_rows(folder) as stored:
        asked: dict[str, RunningDigest] = {}
        samples = unpacked(folder, Path(place), asked)
        for (name, system), answers in groupby(read_generations(folder), key=lambda one: one[:2]):
            if (name, system) in found:
                found[name, system] = [f"{name} / {system}: generations in more than one place of the file"]
            elif (task := cells.get((name, system))) is not None:
                own = samples.get(name, Samples())
                counted = passed.setdefault((name, system), RunningDigest())
                given = noted((generation for _, _, generation in answers), counted)
                cell = ToCheck(result=result, task=task, system=system, plugins=plugins[name])
                found[name, system] = _check_cell(cell, own, given, stored, held)
        for (name, system), task in cells.items():
            if (name, system) not in found:
                own = samples.get(name, Samples())
                cell = ToCheck(result=result, task=task, system=system, plugins=plugins[name])
                found[name, system] = _check_cell(cell, own, by_rule(system, own), stored, held)
    problems += _check_scores(result)
    for place_of in cells:
        problems += found[place_of]
    problems += check_digests(result, asked, passed)
    problems += [*_check_comparisons(result), *check_comparisons(result, held, foreign)]
    whole = unchanged(document) and not check_files(folder, document)  # gates judge no other
    verdicts = check_verdicts(result) if whole else Judged()
    return Checked(
        problems=(*problems, *verdicts.problems),
        not_recomputed=tuple(
            f"{task.name}: {because}"
            for task in result.suite.tasks
            for because in plugins[task.name].values()
            if isinstance(because, str)
        ),
        recomputed=len(result.scores) - left_out,
        remarks=(*dict.fromkeys(_other_versions(result, plugins)), *filter(None, [verdicts.left])),
    )


def _check_scores(result: Result) -> list[str]:
    """Each score is there once, and says rightly whether it is the primary one."""
    problems = []
    primary = {task.name: task.primary for task in result.suite.tasks}
    seen = set()
    for one in result.scores:
        key, here = (one.task, one.system, one.metric), f"{one.task} / {one.system} / {one.metric}"
        if key in seen:
            problems.append(f"{here}: scored twice in result.json")
        seen.add(key)
        if one.task in primary and one.primary != (one.metric == primary[one.task]):
            problems.append(
                f"{here}: primary {one.primary} in result.json, the task's is {primary[one.task]}"
            )
    return problems


def _plugins(task: TaskFacts, code: Code) -> Plugins:
    """Return the task's metrics by their names; of one whose code is not run, why."""
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
    """Whether the code that gives the score is not run."""
    plugin = _plugin_of(score, plugins)
    return plugin is not None and isinstance(plugins[plugin], str)


def _plugin_of(score: Score, plugins: Plugins) -> str | None:
    """Return the metric that gives a score: a foreign one that gives several numbers calls them `evaluate:NAME.KEY`."""
    for plugin in plugins:
        if metrics.gives(plugin, score.metric):
            return plugin
    return None


def _check_cell(
    cell: ToCheck,
    samples: Samples,
    answers: Iterator[Generation],
    stored: RowFile,
    held: dict[tuple[str, System], SystemRows],
) -> list[str]:
    """One system on one task, under every metric of the task that may be run; its rows are added to those held."""
    result, task, system = cell.result, cell.task, cell.system
    here = f"{task.name} / {system}"
    bare = task.name in result.withheld
    tallies = {name: Tally(metric) for name, metric in cell.plugins.items() if isinstance(metric, Metric)}
    ids: list[str] = []
    labels: list[str] = []
    try:
        for sample, generation in paired(here, samples, answers):
            ids.append(sample.id)
            labels.append(sample.metadata.get(task.cluster or "", ""))
            for tally in () if bare else tallies.values():
                tally.add(sample, generation)
    except ResultError as error:
        return [str(error)]
    if not ids:
        return [f"{here}: scores without generations"]
    problems = []
    kept: dict[str, NDArray[np.float64]] = {}
    together = tuple(numbered(labels)) if task.cluster else None
    held[task.name, system] = SystemRows(ids=tuple(ids), clusters=together, rows=kept)
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
        if (anew := tally.rows()) is not None:
            kept[plugin] = anew
        intervals = tally.intervals(result.seed, together)
        for name, value in tally.values().items():
            problems += _check_score(f"{here} / {name}", scores.get(name), value, tally.samples)
            problems += _check_interval(f"{here} / {name}", scores.get(name), intervals.get(name))
            if (score := scores.get(name)) is not None:
                problems += _check_meaning(f"{here} / {name}", score, tally)
    return problems


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
    if metric.value is None and (score.low, score.high) != (None, None):
        problems.append(f"{here}: an interval in result.json, the metric has none")
    return problems


def unversioned(signature: str) -> tuple[str, ...]:
    """Return a signature's settings without library versions and the number of references, which depends on the data."""
    return tuple(
        one for one in signature.split("|") if not VERSION.search(one) and not one.startswith("nrefs:")
    )


def _other_versions(result: Result, plugins: Mapping[str, Plugins]) -> Iterator[str]:
    """Metrics of which a RESULT was made by another version than is here."""
    for score in result.scores:
        of_task = plugins.get(score.task, {})
        metric = of_task.get(_plugin_of(score, of_task) or "")
        if isinstance(metric, Metric):
            told, own = _versions(score.signature), _versions(metric.signature)
            if told != own:
                yield f"{score.task} / {score.metric}: made by another version: {told}, here {own}"


def _versions(signature: str) -> str:
    return "|".join(one for one in signature.split("|") if VERSION.search(one))


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
    """Differences follow from the scores, and corrected p from the p of their family."""
    values = {(score.task, score.system, score.metric): score.value for score in result.scores}
    problems = []
    families: dict[str, list[Comparison]] = {}
    for one in result.comparisons:
        here = said(one)
        if one.family is None and one.p_holm is not None:
            problems.append(f"{here}: p_holm {one.p_holm} outside every family")
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
        if impossible := [one for one in members if not 0 <= one.p <= 1]:
            problems += [f"{said(one)}: p = {one.p} is no probability" for one in impossible]
            continue
        corrected = stats.holm([one.p for one in members])
        for one, p_holm in zip(members, corrected, strict=True):
            if one.p_holm is None or not abs(one.p_holm - float(p_holm)) <= EXACT:
                problems.append(
                    f"{said(one)}: p_holm {one.p_holm} in result.json, "
                    f"{float(p_holm):.6f} from the p of its family"
                )
    return problems


def _numbers(row: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in row) + ")"
