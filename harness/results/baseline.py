"""Make, write and read a baseline: one JSON file for git, with the rows of sums that a gate compares with.

It also records everything that must be unchanged for a fair comparison. Each sample of a system has a line of its own,
sorted, so that a review shows which samples changed. Answers stand beside their rows only
where the source's `share` allows text to leave the machine.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness.digest import digest
from harness.errors import ResultError, UnknownName
from harness.files.json_lines import refuse_other_kind, write_text
from harness.results import Result, TaskFacts, read, read_generations
from harness.results.document import content_digest, json_object, refuse_damaged, unchanged
from harness.results.missing import missing
from harness.results.odd import EMPTY, NONE, Share, counted
from harness.results.plain import plain, record
from harness.types import System

if TYPE_CHECKING:  # pyarrow is loaded where rows are read
    from harness.results.rows import Rows

SCHEMA = 1
_BEGINS = re.compile(r'\s*\{\s*"schema": \d+,\s*"suite": "')  # a result.json has an object there


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTask:
    """A task as it was asked."""

    name: str
    samples: str  # digest of ids, inputs and references
    asked: str  # digest of template, shots, overflow and decode
    decode: Mapping[str, object]
    share: str
    n: int
    signatures: Mapping[str, str]  # by score


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSystem:
    """One system's rows on one task."""

    task: str
    system: System
    prompts: str  # digest of its prompts
    ids: tuple[str, ...]  # in data order
    rows: Mapping[str, NDArray[np.float64]]  # by metric plug-in: [n, k]
    answers: tuple[str, ...] | None  # None: the source shares no text
    empty: Share = NONE  # empty answers; an older baseline without answers does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A result as it was when it was accepted."""

    name: str  # the file, as it was given
    suite: str
    tasks: Mapping[str, BaselineTask]
    systems: Mapping[tuple[str, System], BaselineSystem]
    environment: Mapping[str, Any] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)  # by base model


def asked_digest(task: TaskFacts) -> str:
    """Return the digest of the settings that turn a sample into a prompt and a prompt into an answer."""
    told = [part for part in (task.system, task.by_family) if part]
    return digest(task.prompt, task.shots, task.overflow, decoding(task), *told)


def decoding(task: TaskFacts) -> dict[str, object]:
    """Return the decode settings that can change an answer, the same for older results that decode alike.

    Older results have no `leading_whitespace`. They kept it, which matters only where a stop string ends an answer.
    """
    found = dict(task.decode)
    if found.get("leading_whitespace") == "keep" or not found.get("stop"):
        found.pop("leading_whitespace", None)
    return found


def make(folder: Path, *, only: str = "*/*/*", metric_names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the plain data of a baseline of a RESULT.

    `only` is a pattern of task/model/adapter; trivial rules are left out. `metric_names` are the metric plug-ins to keep
    besides those of the tasks' primary metrics and of the suite's gates; "*" keeps all.
    """
    result = read(folder)
    refuse_damaged(folder, result.files)
    if lacks := missing(result.steps):
        raise ResultError(
            f"{folder}: {lacks.word} RESULT: {lacks.sentence}; a baseline needs a whole one: run the suite again"
        )
    wanted = [
        (task, answers.system)
        for task in result.suite.tasks
        for answers in result.answers
        if answers.task == task.name and not answers.system.is_trivial and _named(only, task, answers.system)
    ]
    if not wanted:
        raise ResultError(f"{folder}: no system like {only!r} has answers here; a baseline needs one")
    if any(not task.samples for task, _ in wanted):
        raise ResultError(
            f"{folder}: an older result, which does not say what was asked; run the suite again"
        )
    tasks = list({task.name: task for task, _ in wanted}.values())
    known = {plugin for task in tasks for plugin in task.metrics}
    for name in metric_names:
        if name != "*" and name not in known:
            raise UnknownName("metric", name, known, "--metric")
    kept = {task.name: _plugins(result, task, metric_names) for task in tasks}
    return {
        "schema": SCHEMA,
        "suite": result.suite.name,
        "environment": {
            key: plain(getattr(result.manifest, key)) or None
            for key in ("harness", "python", "platform", "device", "hardware", "libraries")
        },
        "revisions": {
            model.name: model.revision for model in result.suite.models if model.revision is not None
        },
        "tasks": [_task(result, task) for task in sorted(tasks, key=lambda task: task.name)],
        "systems": [*_systems(result, wanted, kept)],
    }


def refuse_other(path: Path) -> None:
    """Raise a HarnessError if the file is not a baseline; a baseline that was cut short may be overwritten."""
    refuse_other_kind(path, (), "baseline of the harness", "-o", _BEGINS)


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a baseline, a line for each sample; equal results give equal bytes."""
    refuse_other(path)
    whole = {**document, "digest": content_digest(document)}
    write_text(path, "".join(_text(whole)))


def load(path: Path) -> Baseline:
    """Return a baseline's records; ResultError for a baseline that was changed by hand or is of a newer schema."""
    again = f"write it again: harness baseline RESULT -o {path}"
    document = json_object(path, again, again)
    version = document.get("schema")
    if not isinstance(version, int) or version < 1 or "systems" not in document:
        raise ResultError(f"{path}: not a baseline of the harness; name a file that `harness baseline` wrote")
    if version > SCHEMA:
        raise ResultError(f"{path}: schema {version}, this harness reads up to {SCHEMA}; update the harness")
    if "digest" not in document or not unchanged(document):
        raise ResultError(f"{path}: changed by hand or cut short (its digest differs); {again}")
    try:
        tasks = [record(BaselineTask, task) for task in document["tasks"]]
        systems = [_system(system) for system in document["systems"]]
        if not systems:
            raise ValueError("it has no systems")
        found = record(
            Baseline,
            document,
            name=str(path),
            environment=document["environment"],
            revisions=document["revisions"],
            tasks={task.name: task for task in tasks},
            systems={(system.task, system.system): system for system in systems},
        )
        _refuse_inconsistent(found, tasks, systems)
        return found
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"{path}: broken: {error}; {again}") from error


def _refuse_inconsistent(
    found: Baseline, tasks: Sequence[BaselineTask], systems: Sequence[BaselineSystem]
) -> None:
    """Raise ValueError where the parts of a baseline do not fit together."""
    if len(found.tasks) < len(tasks) or len(found.systems) < len(systems):
        raise ValueError("a task or a system is listed twice")
    for system in systems:
        here = f"{system.task} / {system.system}"
        if system.task not in found.tasks:
            raise ValueError(f"{here}: no such task")
        if len(system.ids) != found.tasks[system.task].n:
            raise ValueError(f"{here}: {len(system.ids)} rows of {found.tasks[system.task].n} samples")


def _named(only: str, task: TaskFacts, system: System) -> bool:
    names = (task.name, system.model, system.adapter or "base")
    patterns = [*only.split("/"), "*", "*", "*"]
    return all(fnmatchcase(name, pattern or "*") for name, pattern in zip(names, patterns, strict=False))


def _plugins(result: Result, task: TaskFacts, asked: Sequence[str]) -> list[str]:
    """Return the task's metrics whose rows are kept."""
    patterns = {task.primary}
    patterns.update(
        gate.metric for gate in result.suite.gates if gate.metric and fnmatchcase(task.name, gate.task)
    )
    return [
        plugin
        for plugin in task.metrics
        if "*" in asked
        or plugin in asked
        or any(fnmatchcase(name, pattern) for name in metrics.score_names(plugin) for pattern in patterns)
    ]


def _task(result: Result, task: TaskFacts) -> dict[str, Any]:
    here = [score for score in result.scores if score.task == task.name]
    if not here:
        raise ResultError(f"{result.folder}: {task.name}: has answers and no score; a baseline needs one")
    return {
        "name": task.name,
        "samples": task.samples,
        "asked": asked_digest(task),
        "decode": decoding(task),
        "share": task.share,
        "n": max(score.n for score in here),
        "signatures": {
            score.metric: score.signature for score in sorted(here, key=lambda score: score.metric)
        },
    }


def _systems(
    result: Result, wanted: Iterable[tuple[TaskFacts, System]], kept: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    from harness.results.rows import open_rows

    prompts = {(answers.task, answers.system): answers.prompts for answers in result.answers}
    empty = counted(result, EMPTY)
    shared = {task.name for task, _ in wanted if task.share == "text"}
    texts: dict[tuple[str, System], dict[str, str]] = {}
    if shared:
        for name, system, generation in read_generations(result.folder):
            if name in shared:
                texts.setdefault((name, system), {})[generation.sample_id] = generation.text
    with open_rows(result.folder) as file:
        for task, system in sorted(wanted, key=lambda pair: (pair[0].name, pair[1].model, str(pair[1]))):
            tables = {plugin: file.get((task.name, system, plugin)) for plugin in kept[task.name]}
            found = {plugin: rows for plugin, rows in tables.items() if rows is not None}
            if not found:
                raise ResultError(
                    f"{result.folder}: {task.name} / {system}: no rows of {', '.join(kept[task.name])}; "
                    "a metric that scores a corpus alone cannot be gated"
                )
            _finite(f"{result.folder}: {task.name} / {system}", found)
            ids = next(iter(found.values())).ids
            answers = texts.get((task.name, system))
            if any(table.ids != ids for table in found.values()) or (
                answers and not answers.keys() >= {*ids}
            ):
                raise ResultError(
                    f"{result.folder}: {task.name} / {system}: rows.parquet has rows of other samples than were "
                    "answered; `harness verify` says what was changed"
                )
            rows = {
                sample: {
                    "place": place,
                    **{plugin: [_short(x) for x in table.stats[place]] for plugin, table in found.items()},
                    **({"answer": answers[sample]} if answers else {}),
                }
                for place, sample in enumerate(ids)
            }
            yield {
                "task": task.name,
                "model": system.model,
                "adapter": system.adapter,
                "shots": system.shots,
                "prompts": prompts[task.name, system],
                **({"empty": empty[task.name, system].count} if (task.name, system) in empty else {}),
                "rows": dict(sorted(rows.items())),
            }


def _finite(whose: str, tables: "Mapping[str, Rows]") -> None:
    for plugin, table in tables.items():
        if not np.isfinite(table.stats).all():
            raise ResultError(
                f"{whose}: a row of {plugin} has a number that is not finite; run the suite again"
            )


def _short(number: float) -> float | int:
    return int(number) if float(number).is_integer() else float(number)


def _system(data: Mapping[str, Any]) -> BaselineSystem:
    rows = sorted(data["rows"].items(), key=lambda item: item[1]["place"])
    if [row["place"] for _, row in rows] != [*range(len(rows))]:
        raise ValueError(f"{data['task']}: the places of its rows are not 0 to {len(rows) - 1}")
    if len({frozenset(row) for _, row in rows}) > 1:
        raise ValueError(f"{data['task']}: not every row has the same metrics")
    plugins = [key for key in rows[0][1] if key not in ("place", "answer")] if rows else []
    answers = tuple(row["answer"] for _, row in rows) if rows and "answer" in rows[0][1] else None
    return record(
        BaselineSystem,
        data,
        system=record(System, data),
        ids=tuple(sample for sample, _ in rows),
        rows={plugin: _table(plugin, [row[plugin] for _, row in rows]) for plugin in plugins},
        answers=answers,
        empty=Share(count=_count(data, answers), of=len(rows)),
    )


def _count(data: Mapping[str, Any], answers: Sequence[str] | None) -> int:
    """Return how many answers are empty."""
    found = data.get("empty", sum(not answer.strip() for answer in answers or ()))
    if type(found) is not int:
        raise ValueError(f"{data['task']}: empty is not a number of answers")
    return found


def _table(plugin: str, rows: Sequence[object]) -> NDArray[np.float64]:
    """Return the rows as an array; np.array alone would accept strings and booleans, and turn None into NaN."""
    if any(type(number) not in (int, float) for row in rows if isinstance(row, list) for number in row):
        raise ValueError(f"a row of {plugin} has a value that is not a number")
    table = np.array(rows, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"a row of {plugin} is not a list of numbers")
    if not np.isfinite(table).all():
        raise ValueError(f"a row of {plugin} has a number that is not finite")
    return table


def _text(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield JSON in which every sample has a line of its own."""
    yield "{\n"
    for place, (key, value) in enumerate(document.items()):
        comma = "," if place + 1 < len(document) else ""
        if key != "systems":
            inner = json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n ")
            yield f' "{key}": {inner}{comma}\n'
            continue
        yield ' "systems": [\n'
        for number, system in enumerate(value):
            head = {name: setting for name, setting in system.items() if name != "rows"}
            yield "  " + json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": {\n'
            rows = system["rows"].items()
            yield ",\n".join(
                f"   {json.dumps(sample, ensure_ascii=False)}: {json.dumps(row, ensure_ascii=False)}"
                for sample, row in rows
            )
            yield "\n  }}" + (",\n" if number + 1 < len(value) else "\n")
        yield f" ]{comma}\n"
    yield "}\n"
