"""`harness rescore`: the answers that a RESULT keeps, scored by further metrics; no model is loaded.

Scores, rows and comparisons of the same pairs are added, outside every family: a metric that is chosen once the answers
are known explores. One that is scored again keeps its families, and Holm is taken over them anew.
"""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from harness import metrics, stats
from harness import text as words
from harness._version import __version__
from harness.errors import HarnessError, ResultError
from harness.files.publishing import owned
from harness.metrics import Metric
from harness.plugins import use as use_files
from harness.plugins.choice import parse
from harness.results import (
    Rescoring,
    Result,
    TaskFacts,
    document,
    ours,
    read,
    read_document,
    read_generations,
)
from harness.results.document import refuse_damaged, write_document
from harness.results.rows import Key, RowFile, Rows, open_rows, write_rows
from harness.run import target
from harness.scoring import comparisons as pairs
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.suite.load import metric_named
from harness.types import Comparison, Generation, Score, System
from harness.verification.samples import Samples, by_rule, paired, unpacked

Wanted = Mapping[str, Mapping[str, Metric]]  # task -> plug-in -> metric
Number = TypeVar("Number", Score, Comparison)
Names = Mapping[str, Collection[str]]  # task -> plug-ins


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One system's answers to one task, counted under the new metrics."""

    task: TaskFacts
    system: System
    ids: tuple[str, ...]
    clusters: list[int] | None  # a number for each sample, equal for those that are drawn together
    tallies: Mapping[str, Tally]  # by plug-in


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a RESULT gains."""

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    rows: Mapping[Key, Rows] = field(default_factory=dict)


def rescore(folder: Path, names: Sequence[str], out: Path, *, again: bool = False) -> tuple[Score, ...]:
    """Publish the RESULT with those metrics at `out`, which may be its own folder; return the new scores."""
    read_document(folder)
    target.refuse(out)
    use_files(())  # none but what this command names
    with target.told(out), owned(out) as place:  # until it is published: a run may publish there meanwhile
        result = read(folder)
        _refuse(result, place.target)
        wanted = _wanted(result, dict.fromkeys(map(_named, names)), again)
        found = added(result, wanted)
        fresh = target.stage(place, folder)
        add(result, fresh, wanted, found)
        target.put(place, fresh)
    return found.scores


def add(result: Result, fresh: Path, wanted: Names, found: Added) -> None:
    """Write what was found into a copy of the RESULT that nobody reads yet, and judge its gates again."""
    _write(fresh, result.folder, wanted, found)
    if result.suite.gates:  # one may have waited for the metric
        from harness.gates.judge import judge
        from harness.results import verdicts

        verdicts.write(fresh, judge(fresh).verdicts)


def said(scores: Sequence[Score]) -> Iterator[str]:
    """A line for each score."""
    for one in scores:
        yield f"{words.visible(one.task)}  {words.metric(one.metric)}  {words.system(one.system)}  {words.score(one)}"


# What is asked.


def _refuse(result: Result, out: Path) -> None:
    """What would score answers that are not the run's, or lose another RESULT."""
    ours.refuse_links(result.folder)
    refuse_damaged(result.folder, result.files)
    if out != result.folder.resolve() and (out / "result.json").exists():
        raise HarnessError(f"--out {out}: holds a RESULT; name an empty or a new folder")
    if result.withheld:
        raise ResultError(
            f"{result.folder}: a copy without the texts of {', '.join(result.withheld)}; rescore the RESULT that it is of"
        )


def _named(metric: str) -> str:
    """Return a metric of the command line as a task would name it."""
    where = f"--metric {metric}"
    return metric_named(parse(metric, where), Path.cwd(), lambda *keys: ": ".join([where, *map(str, keys)]))


def _wanted(result: Result, names: Mapping[str, None], again: bool) -> Wanted:
    """Of each task the metrics that it shall have; ResultError where it has them all."""
    loaded = {name: metrics.load(name, code=metrics.NAMED) for name in names}
    wanted = {
        task.name: {name: metric for name, metric in loaded.items() if again or name not in task.metrics}
        for task in result.suite.tasks
        if any(score.task == task.name for score in result.scores)
    }
    wanted = {task: found for task, found in wanted.items() if found}
    if not wanted:
        raise ResultError(
            f"{result.folder}: has {' and '.join(names)} already on every task; --again scores it anew"
        )
    for task in result.suite.tasks:
        _distinct(result.folder, task, wanted.get(task.name, {}))
    return wanted


def _distinct(folder: Path, task: TaskFacts, wanted: Mapping[str, Metric]) -> None:
    """No two metrics of a task may call a score by one name."""
    owners: dict[str, str] = {}
    for plugin in dict.fromkeys((*task.metrics, *wanted)):
        for name in metrics.score_names(plugin):
            if owners.setdefault(name, plugin) != plugin:
                raise ResultError(f"{folder}: {task.name}: both {owners[name]} and {plugin} give {name!r}")


# What it comes to.


def added(result: Result, wanted: Wanted) -> Added:
    """Score the kept answers by the metrics of each task."""
    seed = result.seed
    answered = {(cell.task.name, cell.system): cell for cell in _cells(result, wanted)}
    scores: list[Score] = []
    comparisons: list[Comparison] = []
    rows: dict[Key, Rows] = {}
    for task, plugins in wanted.items():
        systems = dict.fromkeys(one.system for one in result.scores if one.task == task)
        cells = {system: answered[task, system] for system in systems}
        for plugin in plugins:
            scores += _scores([*cells.values()], plugin, seed)
            for system, cell in cells.items():
                if (table := cell.tallies[plugin].rows()) is not None:
                    rows[task, system, plugin] = Rows(ids=cell.ids, stats=table)
        comparisons += _compared(result, plugins, cells, seed)
    return Added(scores=tuple(scores), comparisons=tuple(comparisons), rows=rows)


def _cells(result: Result, wanted: Wanted) -> Iterator[Cell]:
    """The answers pass by, one system's after the other's; of each only its rows are held."""
    tasks = {task.name: task for task in result.suite.tasks if task.name in wanted}
    missing = {(one.task, one.system): None for one in result.scores if one.task in wanted}
    with TemporaryDirectory() as place:
        samples = unpacked(result.folder, Path(place))
        for (name, system), answers in groupby(read_generations(result.folder), key=lambda one: one[:2]):
            if (name, system) in missing:
                del missing[name, system]
                given = (generation for _, _, generation in answers)
                yield _cell(tasks[name], system, samples.get(name, Samples()), given, wanted[name])
        for name, system in missing:
            own = samples.get(name, Samples())
            yield _cell(tasks[name], system, own, by_rule(system, own), wanted[name])


def _cell(
    task: TaskFacts,
    system: System,
    samples: Samples,
    answers: Iterator[Generation],
    wanted: Mapping[str, Metric],
) -> Cell:
    tallies = {plugin: Tally(metric) for plugin, metric in wanted.items()}
    ids: list[str] = []
    labels: list[str] = []
    for sample, generation in paired(f"{task.name} / {system}", samples, answers):
        ids.append(sample.id)
        if task.cluster is not None:
            labels.append(sample.metadata.get(task.cluster, ""))
        for tally in tallies.values():
            tally.add(sample, generation)
    if not ids:
        raise ResultError(f"{task.name} / {system}: no answers are kept; run the suite again")
    together = None if task.cluster is None else numbered(labels)
    return Cell(task=task, system=system, ids=tuple(ids), clusters=together, tallies=tallies)


def _scores(cells: Sequence[Cell], plugin: str, seed: int) -> Iterator[Score]:
    for cell, intervals in zip(cells, _intervals(cells, plugin, seed), strict=True):
        tally = cell.tallies[plugin]
        for name, value in tally.values().items():
            low, high = intervals.get(name, (None, None))
            yield Score(
                task=cell.task.name,
                system=cell.system,
                metric=name,
                primary=name == cell.task.primary,
                signature=tally.signature(),
                unit=tally.metric.unit,
                better=tally.metric.better,
                value=value,
                low=low,
                high=high,
                n=tally.samples,
            )


def _intervals(cells: Sequence[Cell], plugin: str, seed: int) -> list[Mapping[str, tuple[float, float]]]:
    """As each tally has them; from one draw of resamples where all systems answered the same samples."""
    metric, first = cells[0].tallies[plugin].metric, cells[0]
    alike = all(cell.ids == first.ids for cell in cells) and len(set(first.clusters or first.ids)) >= 2
    if metric.value is None or metric.interval == "wilson" or not alike:
        return [cell.tallies[plugin].intervals(seed, cell.clusters) for cell in cells]
    (drawn,) = stats.resampled([_table(cells, plugin, metric)], seed=seed, clusters=first.clusters)
    return [dict(zip(metric.names, map(stats.percentile_interval, one), strict=True)) for one in drawn]


def _compared(
    result: Result, wanted: Mapping[str, Metric], cells: Mapping[System, Cell], seed: int
) -> Iterator[Comparison]:
    """The pairs that the run compared, family by family."""
    task = next(iter(cells.values())).task
    asked: dict[str | None, dict[tuple[System, System], None]] = {}
    for one in result.comparisons:
        if one.task == task.name:
            asked.setdefault(one.family, {})[one.baseline, one.candidate] = None
    in_families = {pair for family, own in asked.items() if family is not None for pair in own}
    asked[None] = {pair: None for pair in asked.get(None, {}) if pair not in in_families}
    systems = list(dict.fromkeys(system for own in asked.values() for pair in own for system in pair))
    for system in systems:
        if system not in cells:
            raise ResultError(f"{result.folder}: {task.name}: compares {system}, of which it has no score")
    scored = _scored(task.name, [cells[system] for system in systems], wanted)
    if scored is None or not scored.tells:
        return
    places = {system: place for place, system in enumerate(systems)}
    placed = {family: [(places[a], places[b]) for a, b in own] for family, own in asked.items()}
    everything = list(dict.fromkeys(pair for own in placed.values() for pair in own))
    found = pairs.compared(scored, everything, seed)
    for family, own in placed.items():
        answers: pairs.Found = {pair: found[pair] for pair in own}
        if family is None:
            yield from chain.from_iterable(answers.values())
            continue
        sure = pairs.refined(scored, answers, task.primary, len(own), seed)
        yield from pairs.corrected([*chain.from_iterable(sure.values())], task.primary, family)


def _scored(task: str, cells: Sequence[Cell], wanted: Mapping[str, Metric]) -> pairs.Scored | None:
    """The rows of all systems that were compared; None where there are none."""
    plugins = {plugin: metric for plugin, metric in wanted.items() if metric.value is not None}
    if not cells or not plugins:
        return None
    for cell in cells:
        if cell.ids != cells[0].ids:
            raise ResultError(f"{task}: {cell.system} answered other samples than {cells[0].system}")
    return pairs.Scored(
        task=task,
        systems=tuple(cell.system for cell in cells),
        metrics=tuple(plugins.values()),
        tables=tuple(_table(cells, plugin, metric) for plugin, metric in plugins.items()),
        clusters=cells[0].clusters,
    )


def _table(cells: Sequence[Cell], plugin: str, metric: Metric) -> stats.Table:
    rows = [cell.tallies[plugin].rows() for cell in cells]
    assert metric.value is not None
    return stats.Table(
        rows=np.stack([one for one in rows if one is not None], axis=1),
        value=metric.value,
        interval=metric.interval,
    )


# Where it is written.


def _write(fresh: Path, folder: Path, wanted: Names, added: Added) -> None:
    with open_rows(folder) as kept:
        write_rows(fresh / "rows.parquet", chain(_but(kept, added.rows), added.rows.items()))
    write_document(fresh, document(_with(read(folder), wanted, added)))


def _but(kept: RowFile, anew: Container[Key]) -> Iterator[tuple[Key, Rows]]:
    keys = kept.keys()
    for key in keys:
        if key not in anew and (rows := kept.get(key)) is not None:
            yield key, rows


def _with(result: Result, wanted: Names, added: Added) -> Result:
    """Return the result with what was added, in place of what it had of the same metrics."""
    tasks = tuple(
        replace(task, metrics=tuple(dict.fromkeys((*task.metrics, *wanted.get(task.name, ())))))
        for task in result.suite.tasks
    )
    now = Rescoring(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        harness=__version__,
        metrics={task: tuple(plugins) for task, plugins in wanted.items()},
    )
    again = {(score.task, score.metric) for score in added.scores}
    return replace(
        result,
        suite=replace(result.suite, tasks=tasks),
        scores=(*_others(result.scores, again), *added.scores),
        comparisons=(*_others(result.comparisons, again), *added.comparisons),
        manifest=replace(result.manifest, rescored=(*result.manifest.rescored, now)),
    )


def _others(records: Sequence[Number], again: set[tuple[str, str]]) -> list[Number]:
    return [number for number in records if (number.task, number.metric) not in again]
