"""Make one leaderboard of many RESULT folders: read each, verify it, rank all, write the files."""

import json
import os
import shlex
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
from harness.results.forgotten import forgotten
from harness.results.missing import missing_in
from harness.results.rows import RowFile, Rows, open_rows
from harness.scoring.agreement import agrees
from harness.scoring.clusters import numbered
from harness.tasks.metric_names import is_foreign
from harness.types import Cost, Score, System
from harness.verification.scores import check as check_result

SEVERAL = 16  # with fewer results, starting more processes costs more than it saves
COSTS = [field.name for field in fields(Costs)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one RESULT contributes to the leaderboard."""

    run: str
    entries: tuple[Entry, ...]
    withheld: tuple[str, ...]  # tasks without texts, which only their rows could verify
    not_recomputed: tuple[str, ...] = ()  # metrics whose code was not run


def make(
    given: Sequence[Path], *, verified: bool = True, code: metrics.Code = metrics.OWN
) -> tuple[Leaderboard, Mapping[str, Path]]:
    """Return the leaderboard of all RESULT folders in `given` or inside of folders in it, and the folder of each run."""
    runs = _named(folders(given))
    return ranked(runs, verified=verified, code=code), runs


def ranked(
    runs: Mapping[str, Path], *, verified: bool = True, code: metrics.Code = metrics.OWN
) -> Leaderboard:
    """Return the leaderboard of RESULT folders under the names of their runs."""
    taken = list(_all(runs, verified, code))
    accepted = [outcome for outcome in taken if isinstance(outcome, Taken)]
    entries = [entry for run in accepted for entry in run.entries]
    refused = tuple(outcome for outcome in taken if isinstance(outcome, Refusal))
    if not entries:
        raise ResultError(f"nothing to rank: {refused[0].run}: {refused[0].problem}")
    return Leaderboard(
        groups=rank(entries),
        runs=tuple(run.run for run in accepted),
        by_rows=tuple(run.run for run in accepted if run.withheld),
        unchecked=tuple(run.run for run in accepted if run.not_recomputed),
        refused=refused,
        verified=verified,
    )


def command(given: Sequence[Path], out: Path, flags: Sequence[str] = ()) -> str:
    """Return the command that writes the leaderboard of RESULT folders to a file."""
    return shlex.join(["harness", "leaderboard", *map(str, given), "-o", str(out), *flags])


def write(board: Leaderboard, runs: Mapping[str, Path], out: Path, by: str) -> None:
    """Write the leaderboard by the command `by`; the suffix of `out` selects HTML, Markdown or CSV."""
    write_text(out, _drawn(board, runs, out, by), option="-o")


def check(board: Leaderboard, runs: Mapping[str, Path], out: Path, by: str) -> None:
    """Raise HarnessError if the file differs from what the command `by` would write."""
    again = f"write it by `{by}`, and commit it"
    if not out.is_file():
        raise HarnessError(f"{out}: no such file; {again}")
    if not pages.same(out.read_bytes().decode(errors="replace"), _drawn(board, runs, out, by)):
        raise HarnessError(f"{out}: out of date; {again}")


def refuse_other_endings(outs: Sequence[Path]) -> None:
    """Reject unknown suffixes before any RESULT is read."""
    for out in outs:
        if out.suffix not in pages.KINDS:
            raise HarnessError(f"-o {out}: the name must end in {', '.join(pages.KINDS)}")


def _drawn(board: Leaderboard, runs: Mapping[str, Path], out: Path, by: str) -> str:
    return pages.KINDS[out.suffix](board, {run: _link(folder, out) for run, folder in runs.items()}, by)


def _link(folder: Path, out: Path) -> str:
    """Return the link from the page to a run's report, or to its folder if it has no report."""
    target = folder / "report.html" if (folder / "report.html").is_file() else folder
    here = os.path.relpath(target.resolve(), out.parent.resolve())
    return quote(Path(here).as_posix(), errors="replace")


def folders(given: Sequence[Path]) -> list[Path]:
    """Return the RESULT folders in `given`; a folder that contains several stands for all of them, sorted by name."""
    found: list[Path] = []
    for path in given:
        here = path.parent if path.name == "result.json" else path
        inside = (
            [here]
            if (here / "result.json").is_file()
            else sorted(
                file.parent for file in here.glob("*/result.json") if not file.parent.name.startswith(".")
            )
        )
        if not inside:
            what = "contains no RESULT" if here.is_dir() else "no such folder"
            raise ResultError(f"{path}: {what}; a RESULT folder contains a result.json")
        found += inside
    places = [folder.resolve() for folder in found]
    twice = next((folder for folder in found if places.count(folder.resolve()) > 1), None)
    if twice is not None:
        raise ResultError(f"{twice}: given twice; name each RESULT once")
    return found


def _named(found: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by name, or by path if two have the same name."""
    names = Counter(folder.resolve().name for folder in found)
    return {
        folder.resolve().name if names[folder.resolve().name] == 1 else folder.as_posix(): folder
        for folder in found
    }


def _all(runs: Mapping[str, Path], verified: bool, code: metrics.Code) -> Iterator[Taken | Refusal]:
    each = partial(take, verified=verified, code=code)
    workers = min(machine().cores, len(runs))
    if workers < 2 or len(runs) < (2 if verified else SEVERAL):
        yield from map(each, runs, runs.values())
        return
    # Spawned, not forked, since pyarrow runs threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(each, runs, runs.values(), chunksize=max(1, len(runs) // (4 * workers)))


def take(run: str, folder: Path, *, verified: bool, code: metrics.Code = metrics.OWN) -> Taken | Refusal:
    """Return what a RESULT contributes, or why it is left out; without `verified`, its numbers are not recomputed."""
    try:
        document = read_document(folder, changed=not verified)
        if lacks := missing_in(document):
            return Refusal(run=run, problem=f"{lacks.word}: {lacks.sentence}", skipped=True)
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
        return Refusal(run=run, problem=f"{folder}: contains no scores")
    if odd := next((entry for entry in entries if not _sound(entry)), None):
        return Refusal(
            run=run, problem=f"{folder}: {odd.task.name} / {odd.score.system}: a number is not finite"
        )
    return Taken(
        run=run,
        entries=entries,
        withheld=result.withheld,
        not_recomputed=checked.not_recomputed if checked else (),
    )


def _used(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return only what the leaderboard shows; parsing the whole document would double the time."""
    scores = [score for score in document["scores"] if score["primary"]]
    primary = {(score["task"], score["metric"]) for score in scores}
    compared = [pair for pair in document["comparisons"] if (pair["task"], pair["metric"]) in primary]
    kept = {key: document[key] for key in ("suite", "costs", "manifest") if key in document}
    return {**kept, "scores": scores, "comparisons": compared}


def _sound(entry: Entry) -> bool:
    """Return whether all numbers of the page are finite numbers: a file that is not verified may contain anything."""
    ends, base = (entry.score.low, entry.score.high), entry.to_base
    numbers = [entry.score.value, entry.score.n, *(end for end in ends if end is not None)]
    numbers += [value for name in COSTS if (value := getattr(entry.costs, name)) is not None]
    if entry.model is not None and entry.model.parameters is not None:
        numbers.append(entry.model.parameters)
    if base is not None:
        numbers += [base.difference, base.low, base.high, *([] if base.p_holm is None else [base.p_holm])]
    return all(isinstance(number, int | float) and isfinite(number) for number in numbers)


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
    """Return the metric that gives the primary score; None if its code is not part of this harness."""
    own = [metric for metric in task.metrics if not is_foreign(metric)]
    return next((metric for metric in own if task.primary in metrics.score_names(metric)), None)


def _of_task(
    run: str, result: Result, task: TaskFacts, scores: Sequence[Score], plugin: str | None, stored: RowFile
) -> Iterator[Entry]:
    models = {model.name: model for model in result.suite.models}
    bases = {
        pair.candidate: pair
        for pair in result.comparisons
        if pair.task == task.name and pair.baseline == pair.candidate.base
    }
    spent: dict[System, list[Cost]] = {}
    for cost in result.costs:
        spent.setdefault(cost.system, []).append(cost)
    lost = {} if task.name == result.suite.forgetting else forgotten(result)
    metric = _metric(plugin) if plugin is not None else None
    clusters = _clusters(result.folder, task)
    asked = asked_digest(task)
    orders: dict[
        tuple[str, ...], Order
    ] = {}  # usually all systems of a task have their samples in the same order
    for score in scores:
        rows = stored.get((task.name, score.system, plugin)) if plugin is not None else None
        ids = rows.ids if rows is not None else ()
        if ids not in orders:
            orders[ids] = _order(run, result, task, ids, clusters)
        measured = [cost for cost in spent.get(score.system, ()) if cost.task in (None, task.name)]
        places = {
            f"{cost.hardware}, {cost.workers} workers" if cost.workers > 1 else cost.hardware
            for cost in measured
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
            forgotten=lost.get(score.system),
            costs=costs(measured, score.system, task.name, score.n),
            hardware=" and ".join(sorted(places)),
        )


@cache
def _metric(plugin: str) -> metrics.Metric:
    """Return the metric; loaded once, since looking up the library versions of its signature is slow."""
    return metrics.load(plugin)


def _clusters(folder: Path, task: TaskFacts) -> Mapping[str, str]:
    """Return the cluster of each sample; empty if samples are resampled one by one."""
    if task.cluster is None:
        return {}
    return {
        sample.id: sample.metadata.get(task.cluster, "")
        for name, sample in read_samples(folder)
        if name == task.name
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order of rows by their samples' ids, which is the same in every run."""

    places: list[int]
    labels: list[int] | None  # samples with equal labels are resampled together; None: one by one
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
    # Without ids or a source, two runs cannot be known to have asked the same: each is ranked by itself.
    asked = digest(asked, source) if ids and source else f"run {run}"
    return Order(places=places, labels=labels, samples=SampleDigests(asked=asked, drawn=drawn, told=False))


def _shares(score: Score, metric: metrics.Metric, rows: Rows, order: Order) -> Array | None:
    """Return what each sample (or cluster) adds to the score; raise ResultError if the rows do not give the score."""
    if metric.formula is None:
        return None
    table = rows.stats[order.places]
    column = metric.names.index(score.metric)
    value = float(stats.whole(table, metric.formula)[column])
    if not agrees(score, value, len(table)):
        raise ResultError(
            f"{score.task} / {score.system} / {score.metric}: {score.value:.6f} of {score.n} samples, "
            f"but rows.parquet gives {value:.6f} of {len(table)}"
        )
    if order.labels is not None and len(set(order.labels)) < 2:
        return None  # a single cluster has no variance
    return shares(table, metric.formula, column, order.labels)
