"""Many RESULT folders to one leaderboard: what is read of each, whether it may be believed, and the files it becomes."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import cache, partial
from math import isfinite
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness import metrics, stats
from harness.digest import digest, text_digest
from harness.errors import HarnessError, ResultError
from harness.files.hardware import machine
from harness.files.json_lines import write_text
from harness.leaderboard.rank import Array, Entry, Leaderboard, Refusal, SampleDigests, rank, shares
from harness.report import board as pages
from harness.results import Result, TaskFacts, from_document, read_document, read_samples
from harness.results.baseline import asked_digest
from harness.results.costs import Costs, costs
from harness.results.rows import RowFile, Rows, open_rows
from harness.scoring.agreement import agrees
from harness.scoring.clusters import numbered
from harness.tasks.metric_names import is_foreign
from harness.types import Cost, Score, System
from harness.verification.scores import check as check_result

SEVERAL = 16  # results from which on further processes are worth their start
COSTS = [one.name for one in fields(Costs)]
AGAIN = "harness leaderboard RESULT..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one RESULT brings to the board."""

    run: str
    entries: tuple[Entry, ...]
    withheld: tuple[str, ...]  # tasks that could be checked by their rows alone
    not_recomputed: tuple[str, ...] = ()  # metrics whose code was not run


def make(
    given: Sequence[Path], *, verified: bool = True, code: metrics.Code = metrics.OWN
) -> tuple[Leaderboard, Mapping[str, Path]]:
    """The board of all RESULT folders given or in the folders given, and where each run lies."""
    runs = _named(folders(given))
    taken = list(_all(runs, verified, code))
    entries = [entry for one in taken if isinstance(one, Taken) for entry in one.entries]
    refused = tuple(one for one in taken if isinstance(one, Refusal))
    if not entries:
        raise ResultError(f"nothing to rank: {refused[0].run}: {refused[0].problem}")
    board = Leaderboard(
        groups=rank(entries),
        runs=tuple(one.run for one in taken if isinstance(one, Taken)),
        by_rows=tuple(one.run for one in taken if isinstance(one, Taken) and one.withheld),
        unchecked=tuple(one.run for one in taken if isinstance(one, Taken) and one.not_recomputed),
        refused=refused,
        verified=verified,
    )
    return board, runs


def write(board: Leaderboard, runs: Mapping[str, Path], out: Path) -> None:
    """One file, of the kind that its ending says."""
    write_text(out, _drawn(board, runs, out), option="-o")


def check(board: Leaderboard, runs: Mapping[str, Path], out: Path) -> None:
    """Fails where the file is not what `write` would make of it."""
    if not out.is_file():
        raise HarnessError(f"{out}: there is no such file; {_again(out)}")
    if out.read_bytes() != _drawn(board, runs, out).encode():
        raise HarnessError(f"{out}: not what its results give; {_again(out)}")


def _again(out: Path) -> str:
    return f"write it by `{AGAIN} -o {out}`, and commit it"


def refuse_other_endings(outs: Sequence[Path]) -> None:
    """Before anything is read."""
    for out in outs:
        if out.suffix not in pages.KINDS:
            raise HarnessError(f"-o {out}: ends in none of {', '.join(pages.KINDS)}")


def _drawn(board: Leaderboard, runs: Mapping[str, Path], out: Path) -> str:
    return pages.KINDS[out.suffix](board, {run: _link(folder, out) for run, folder in runs.items()})


def _link(folder: Path, out: Path) -> str:
    """A run's report where there is one, seen from the page."""
    target = folder / "report.html" if (folder / "report.html").is_file() else folder
    here = os.path.relpath(target.resolve(), out.parent.resolve())
    return quote(Path(here).as_posix(), errors="replace")


def folders(given: Sequence[Path]) -> list[Path]:
    """Each RESULT once; a folder of several is all of them, in the order of their names."""
    found: list[Path] = []
    for path in given:
        here = path.parent if path.name == "result.json" else path
        inside = (
            [here]
            if (here / "result.json").is_file()
            else sorted(
                one.parent for one in here.glob("*/result.json") if not one.parent.name.startswith(".")
            )
        )
        if not inside:
            what = "holds no RESULT" if here.is_dir() else "no such folder"
            raise ResultError(f"{path}: {what}; a RESULT folder holds a result.json")
        found += inside
    places = [one.resolve() for one in found]
    twice = next((one for one, place in zip(found, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise ResultError(f"{twice}: given twice; a result counts once")
    return found


def _named(found: Sequence[Path]) -> dict[str, Path]:
    """Runs by their folders' names, or by their paths where two have the same."""
    names = Counter(one.resolve().name for one in found)
    return {one.resolve().name if names[one.resolve().name] == 1 else one.as_posix(): one for one in found}


def _all(runs: Mapping[str, Path], verified: bool, code: metrics.Code) -> Iterator[Taken | Refusal]:
    each = partial(take, verified=verified, code=code)
    workers = min(machine().cores, len(runs))
    if workers < 2 or len(runs) < (2 if verified else SEVERAL):
        yield from map(each, runs, runs.values())
        return
    # Spawned, not forked: pyarrow has threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(each, runs, runs.values(), chunksize=max(1, len(runs) // (4 * workers)))


def take(run: str, folder: Path, *, verified: bool, code: metrics.Code = metrics.OWN) -> Taken | Refusal:
    """What a RESULT brings, or why it brings nothing. Not verified, it is believed as it is."""
    try:
        document = read_document(folder, changed=not verified)
        checked = check_result(folder, code) if verified else None
        if checked and checked.problems:
            return Refusal(run=run, problem=checked.problems[0])
        result = from_document(folder, _used(document))
        entries = tuple(_entries(run, result))
    except HarnessError as error:
        return Refusal(run=run, problem=str(error).splitlines()[0])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return Refusal(run=run, problem=f"{folder / 'result.json'}: broken or changed by hand: {error!r}")
    if not entries:
        return Refusal(run=run, problem=f"{folder}: holds no scores")
    if odd := next((one for one in entries if not _sound(one)), None):
        return Refusal(
            run=run, problem=f"{folder}: {odd.task.name} / {odd.score.system}: a number that is none"
        )
    return Taken(
        run=run,
        entries=entries,
        withheld=result.withheld,
        not_recomputed=checked.not_recomputed if checked else (),
    )


def _used(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a result a board shows; turning all of it into records takes as long as all else."""
    scores = [one for one in document["scores"] if one["primary"]]
    primary = {(one["task"], one["metric"]) for one in scores}
    compared = [one for one in document["comparisons"] if (one["task"], one["metric"]) in primary]
    kept = {key: document[key] for key in ("suite", "costs", "manifest") if key in document}
    return {**kept, "scores": scores, "comparisons": compared}


def _sound(entry: Entry) -> bool:
    """Whether what the page takes for numbers are numbers: where nothing is verified, anything may stand in a file."""
    ends, base = (entry.score.low, entry.score.high), entry.to_base
    numbers = [entry.score.value, entry.score.n, *(one for one in ends if one is not None)]
    numbers += [value for name in COSTS if (value := getattr(entry.costs, name)) is not None]
    if entry.model is not None and entry.model.parameters is not None:
        numbers.append(entry.model.parameters)
    if base is not None:
        numbers += [base.difference, base.low, base.high, *([] if base.p_holm is None else [base.p_holm])]
    return all(isinstance(one, int | float) and isfinite(one) for one in numbers)


def _entries(run: str, result: Result) -> Iterator[Entry]:
    primary: dict[str, list[Score]] = {}
    for score in result.scores:
        primary.setdefault(score.task, []).append(score)
    tasks = [task for task in result.suite.tasks if task.name in primary]
    plugins = {task.name: _plugin(task) for task in tasks}
    keys = [
        (task, score.system, plugin)
        for task, scores in primary.items()
        if (plugin := plugins.get(task)) is not None
        for score in scores
    ]
    with open_rows(result.folder) as stored:
        stored.read_ahead(keys)
        for task in tasks:
            yield from _of_task(run, result, task, primary[task.name], plugins[task.name], stored)


def _plugin(task: TaskFacts) -> str | None:
    """Who gives the primary score; None where code would have to be run that is not part of this harness."""
    own = [metric for metric in task.metrics if not is_foreign(metric)]
    return next((one for one in own if task.primary in metrics.score_names(one)), None)


def _of_task(
    run: str, result: Result, task: TaskFacts, scores: Sequence[Score], plugin: str | None, stored: RowFile
) -> Iterator[Entry]:
    models = {one.name: one for one in result.suite.models}
    bases = {
        one.candidate: one
        for one in result.comparisons
        if one.task == task.name and one.baseline == one.candidate.base
    }
    spent: dict[System, list[Cost]] = {}
    for one in result.costs:
        spent.setdefault(one.system, []).append(one)
    metric = _metric(plugin) if plugin is not None else None
    clusters = _clusters(result.folder, task)
    asked = asked_digest(task)
    orders: dict[tuple[str, ...], Order] = {}  # all systems of a task have their samples in one, as a rule
    for score in scores:
        rows = stored.get((task.name, score.system, plugin)) if plugin is not None else None
        ids = rows.ids if rows is not None else ()
        if ids not in orders:
            orders[ids] = _order(run, result, task, ids, clusters)
        measured = [one for one in spent.get(score.system, ()) if one.task in (None, task.name)]
        places = {
            f"{one.hardware}, {one.workers} workers" if one.workers > 1 else one.hardware for one in measured
        }
        yield Entry(
            run=run,
            task=task,
            score=score,
            samples=orders[ids].samples,
            asked=asked,
            shares=_shares(score, metric, rows, orders[ids])
            if metric is not None and rows is not None
            else None,
            model=models.get(score.system.model),
            to_base=bases.get(score.system),
            costs=costs(measured, score.system, task.name, score.n),
            hardware=" and ".join(sorted(places)),
        )


@cache
def _metric(plugin: str) -> metrics.Metric:
    """Loaded once: its signature asks for versions of packages, which takes longer than what it is used for here."""
    return metrics.load(plugin)


def _clusters(folder: Path, task: TaskFacts) -> Mapping[str, str]:
    """Sample -> what it is resampled with."""
    if task.cluster is None:
        return {}
    return {
        one.id: one.metadata.get(task.cluster, "") for name, one in read_samples(folder) if name == task.name
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Rows in the order of their samples' ids, which is the same in every run."""

    places: list[int]
    labels: list[int] | None  # equal ones are drawn together; None: each sample by itself
    samples: SampleDigests


def _order(
    run: str, result: Result, task: TaskFacts, ids: Sequence[str], clusters: Mapping[str, str]
) -> Order:
    places = sorted(range(len(ids)), key=ids.__getitem__)
    labels = numbered(clusters.get(ids[place], "") for place in places) if clusters else None
    asked = json.dumps([ids[place] for place in places])
    drawn = text_digest(f"{asked}{labels}") if ids else ""
    if task.samples:
        return Order(places=places, labels=labels, samples=SampleDigests(asked=task.samples, drawn=drawn))
    source = result.manifest.sources.get(task.name)
    # Without ids or a source nothing says that two runs asked the same: each stands by itself.
    asked = digest(asked, source) if ids and source else f"run {run}"
    return Order(places=places, labels=labels, samples=SampleDigests(asked=asked, drawn=drawn, told=False))


def _shares(score: Score, metric: metrics.Metric, rows: Rows, order: Order) -> Array | None:
    """What each sample (or cluster) adds to the score, which must be what the rows give."""
    if metric.value is None:
        return None
    table = rows.stats[order.places]
    column = metric.names.index(score.metric)
    value = float(metric.value(table.sum(axis=0))[column])
    if not agrees(score, value, len(table)):
        raise ResultError(
            f"{score.task} / {score.system} / {score.metric}: {score.value:.6f} of {score.n} samples, "
            f"but rows.parquet gives {value:.6f} of {len(table)}"
        )
    if order.labels is not None:
        if len(set(order.labels)) < 2:
            return None  # one cluster has no spread
        table = stats.units(table, order.labels)
    return shares(table, metric.value, column)
