"""Score the answers that a RESULT keeps with further metrics; no model is loaded.

Scores, rows and comparisons of the same pairs are added outside of every family: a metric that is chosen once the answers
are known is exploratory. A metric that is scored again keeps its families, and Holm's correction is computed again.
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
from harness.scoring import warned
from harness.scoring.accumulate import Tally
from harness.suite.load import metric_named
from harness.types import Comparison, Generation, Note, Score, System
from harness.verification.samples import Samples, add_answers, by_rule, unpacked

Wanted = Mapping[str, Mapping[str, Metric]]  # task -> plug-in -> metric
Number = TypeVar("Number", Score, Comparison)
Names = Mapping[str, Collection[str]]  # task -> plug-ins


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoredAnswers:
    """One system's answers to one task, tallied by the new metrics."""

    task: TaskFacts
    system: System
    ids: tuple[str, ...]
    clusters: list[int] | None  # a number for each sample; samples with equal numbers are resampled together
    tallies: Mapping[str, Tally]  # by plug-in


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a RESULT gains."""

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    rows: Mapping[Key, Rows] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()  # warnings of the metrics


def rescore(folder: Path, names: Sequence[str], out: Path, *, again: bool = False) -> tuple[Score, ...]:
    """Publish the RESULT with these metrics added at `out`, which may be its own folder; return the new scores."""
    read_document(folder)
    target.refuse(out)
    use_files(())  # only plug-in files that this command names
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
    """Write what was added into a copy of the RESULT that nobody reads yet, and judge its gates again."""
    _write(fresh, result.folder, wanted, found)
    if result.suite.gates:  # a gate may name the new metric
        from harness.gates.judge import judge
        from harness.results import verdicts

        verdicts.write(fresh, judge(fresh).verdicts)


def lines(scores: Sequence[Score]) -> Iterator[str]:
    """Yield a line for each score."""
    for score in scores:
        task, metric, system = (
            words.visible(score.task),
            words.metric(score.metric),
            words.system(score.system),
        )
        yield f"{task}  {metric}  {system}  {words.score(score)}"


# What to score.


def _refuse(result: Result, out: Path) -> None:
    """Raise HarnessError if the answers are not the run's own, or if another RESULT would be lost."""
    ours.refuse_links(result.folder)
    refuse_damaged(result.folder, result.files)
    if out != result.folder.resolve() and (out / "result.json").exists():
        raise HarnessError(f"--out {out}: holds a RESULT; name an empty or new folder")
    if result.withheld:
        raise ResultError(
            f"{result.folder}: a copy without the texts of {', '.join(result.withheld)}; rescore the original RESULT"
        )


def _named(metric: str) -> str:
    """Return a metric of the command line as a task would name it."""
    where = f"--metric {metric}"
    return metric_named(parse(metric, where), Path.cwd(), lambda *keys: ": ".join([where, *map(str, keys)]))


def _wanted(result: Result, names: Mapping[str, None], again: bool) -> Wanted:
    """Return the metrics to add to each task; raise ResultError if every task has them already."""
    loaded = {name: metrics.load(name, code=metrics.NAMED) for name in names}
    wanted = {
        task.name: {name: metric for name, metric in loaded.items() if again or name not in task.metrics}
        for task in result.suite.tasks
        if any(score.task == task.name for score in result.scores)
    }
    wanted = {task: found for task, found in wanted.items() if found}
    if not wanted:
        raise ResultError(
            f"{result.folder}: has {' and '.join(names)} already on every task; --again recomputes it"
        )
    for task in result.suite.tasks:
        _distinct(result.folder, task, wanted.get(task.name, {}))
    return wanted


def _distinct(folder: Path, task: TaskFacts, wanted: Mapping[str, Metric]) -> None:
    """Raise ResultError if two metrics of a task give scores of the same name."""
    owners: dict[str, str] = {}
    for plugin in dict.fromkeys((*task.metrics, *wanted)):
        for name in metrics.score_names(plugin):
            if owners.setdefault(name, plugin) != plugin:
                raise ResultError(f"{folder}: {task.name}: both {owners[name]} and {plugin} give {name!r}")


# Scores and comparisons.


def added(result: Result, wanted: Wanted) -> Added:
    """Score the kept answers with the metrics of each task."""
    seed = result.seed
    answered = {(cell.task.name, cell.system): cell for cell in _cells(result, wanted)}
    scores: list[Score] = []
    comparisons: list[Comparison] = []
    rows: dict[Key, Rows] = {}
    for task, plugins in wanted.items():
        systems = dict.fromkeys(score.system for score in result.scores if score.task == task)
        cells = {system: answered[task, system] for system in systems}
        for plugin in plugins:
            scores += _scores([*cells.values()], plugin, seed)
            for system, cell in cells.items():
                if (table := cell.tallies[plugin].rows()) is not None:
                    rows[task, system, plugin] = Rows(ids=cell.ids, stats=table)
        comparisons += _compared(result, plugins, cells, seed)
    notes = [
        note
        for (task, system), cell in answered.items()
        for note in warned.as_notes(warned.counted(cell.tallies.values()), f"{task}, {system}")
    ]
    return Added(scores=tuple(scores), comparisons=tuple(comparisons), rows=rows, notes=tuple(notes))


def _cells(result: Result, wanted: Wanted) -> Iterator[RescoredAnswers]:
    """Yield each system's tallied answers; answers are read one system after the other, and only rows stay in memory."""
    tasks = {task.name: task for task in result.suite.tasks if task.name in wanted}
    missing = {(score.task, score.system): None for score in result.scores if score.task in wanted}
    with TemporaryDirectory() as place:
        samples = unpacked(result.folder, Path(place))
        for (name, system), answers in groupby(
            read_generations(result.folder), key=lambda answer: answer[:2]
        ):
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
) -> RescoredAnswers:
    tallies = {plugin: Tally(metric) for plugin, metric in wanted.items()}
    here = f"{task.name} / {system}"
    ids, clusters = add_answers(here, samples, answers, tuple(tallies.values()), task.cluster)
    if not ids:
        raise ResultError(f"{here}: the RESULT has no answers; run the suite again")
    return RescoredAnswers(task=task, system=system, ids=ids, clusters=clusters, tallies=tallies)


def _scores(cells: Sequence[RescoredAnswers], plugin: str, seed: int) -> Iterator[Score]:
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


def _intervals(
    cells: Sequence[RescoredAnswers], plugin: str, seed: int
) -> list[Mapping[str, tuple[float, float]]]:
    """Return the intervals of each system's scores; one draw of resamples serves systems that answered the same samples."""
    metric, first = cells[0].tallies[plugin].metric, cells[0]
    alike = all(cell.ids == first.ids for cell in cells) and len(set(first.clusters or first.ids)) >= 2
    if metric.formula is None or metric.interval == "wilson" or not alike:
        return [cell.tallies[plugin].intervals(seed, cell.clusters) for cell in cells]
    (drawn,) = stats.resampled([_table(cells, plugin, metric)], seed=seed, clusters=first.clusters)
    return [
        cell.tallies[plugin].intervals_of(values, cell.clusters)
        for cell, values in zip(cells, drawn, strict=True)
    ]


def _compared(
    result: Result, wanted: Mapping[str, Metric], cells: Mapping[System, RescoredAnswers], seed: int
) -> Iterator[Comparison]:
    """Yield comparisons of the pairs that the run compared, family by family."""
    task = next(iter(cells.values())).task
    asked: dict[str | None, dict[tuple[System, System], None]] = {}
    for pair in result.comparisons:
        if pair.task == task.name:
            asked.setdefault(pair.family, {})[pair.baseline, pair.candidate] = None
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


def _scored(task: str, cells: Sequence[RescoredAnswers], wanted: Mapping[str, Metric]) -> pairs.Scored | None:
    """Return the rows of all compared systems; None if there are no rows."""
    plugins = {plugin: metric for plugin, metric in wanted.items() if metric.formula is not None}
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


def _table(cells: Sequence[RescoredAnswers], plugin: str, metric: Metric) -> stats.Table:
    rows = [cell.tallies[plugin].rows() for cell in cells]
    return metric.table(np.stack([table for table in rows if table is not None], axis=1))


# Writing.


def _write(fresh: Path, folder: Path, wanted: Names, added: Added) -> None:
    with open_rows(folder) as kept:
        write_rows(fresh / "rows.parquet", chain(_but(kept, added.rows), added.rows.items()))
    write_document(fresh, document(_with(read(folder), wanted, added)))


def _but(kept: RowFile, replaced: Container[Key]) -> Iterator[tuple[Key, Rows]]:
    keys = kept.keys()
    for key in keys:
        if key not in replaced and (rows := kept.get(key)) is not None:
            yield key, rows


def _with(result: Result, wanted: Names, added: Added) -> Result:
    """Return the result with what was added; it replaces older numbers of the same metrics."""
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
        notes=tuple(dict.fromkeys((*result.notes, *added.notes))),
        comparisons=(*_others(result.comparisons, again), *added.comparisons),
        manifest=replace(
            result.manifest,
            rescored=(*result.manifest.rescored, now),
            scripts={**result.manifest.scripts, **metrics.scripts()},
        ),
    )


def _others(records: Sequence[Number], again: set[tuple[str, str]]) -> list[Number]:
    return [number for number in records if (number.task, number.metric) not in again]
