"""Carry metrics that `harness rescore` added to a RESULT over into the RESULT that replaces it.

If both hold the same answers, scores and rows are copied, and no metric is loaded. Other answers are
scored by metrics that are part of the harness, or that the new suite names itself; code that only a RESULT names never runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness import metrics, plugins
from harness.commands.rescore import Added, Names, added
from harness.errors import HarnessError
from harness.plugins.choice import parse
from harness.results import Result, TaskFacts
from harness.results.document import check_files
from harness.results.rows import Key, Rows, open_rows
from harness.tasks.metric_names import is_foreign

ANSWERS = ("generations.jsonl.gz", "samples.jsonl.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What the new RESULT gets from the old one, and what it cannot get."""

    names: Names  # task -> plug-ins
    added: Added
    lost: tuple[str, ...]  # a phrase for each metric of the old RESULT that is not in the new one


def rescored(result: Result) -> dict[str, list[str]]:
    """Return, for each task, the metrics that were added after the run."""
    found: dict[str, dict[str, None]] = {}
    for time in result.manifest.rescored:
        for task, names in time.metrics.items():
            found.setdefault(task, {}).update(dict.fromkeys(names))
    return {task: list(names) for task, names in found.items()}


def merged(old: Result, new: Result) -> Merged:
    """Copy or recompute each added metric that the new RESULT lacks."""
    tasks = {task.name: task for task in new.suite.tasks}
    names: dict[str, list[str]] = {}
    parts: list[Added] = []
    lost: list[str] = []
    for task in old.suite.tasks:
        extra = rescored(old).get(task.name, ())
        there = tasks[task.name].metrics if task.name in tasks else ()
        wanted = [metric for metric in task.metrics if metric in extra and metric not in there]
        if not wanted:
            continue
        if task.name not in tasks:
            lost += [f"{metric} on {task.name} (the task is not part of this run)" for metric in wanted]
        elif _same_answers(old, new, task, extra):
            names[task.name] = wanted
            parts.append(_taken(old, task.name, wanted, _score_names(old, task) - _score_names(new, task)))
        else:
            for metric in wanted:
                try:
                    parts.append(added(new, {task.name: {metric: _loaded(metric, new)}}))
                    names.setdefault(task.name, []).append(metric)
                except HarnessError as error:
                    lost.append(f"{metric} on {task.name} ({error})")
    return Merged(names=names, added=_together(parts), lost=tuple(lost))


def _loaded(name: str, new: Result) -> metrics.Metric:
    named = any(name in task.metrics for task in new.suite.tasks)
    own = not is_foreign(name) and parse(name).name in plugins.own_names("metrics")
    if not named and not own:
        raise HarnessError("the answers differ, and the metric's code is not part of the harness")
    return metrics.load(name, code=metrics.NAMED if named else metrics.OWN)  # the user's own suite names it


def _same_answers(old: Result, new: Result, task: TaskFacts, extra: Sequence[str]) -> bool:
    """Return whether the new RESULT's answers would get the scores of the old RESULT."""
    known = next(facts for facts in new.suite.tasks if facts.name == task.name)
    return (
        all(name in old.files and old.files.get(name) == new.files.get(name) for name in ANSWERS)
        and not check_files(old.folder, {"files": old.files})
        and known.cluster == task.cluster
        and _systems(old, task) == _systems(new, task)
        and {metric for metric in task.metrics if metric not in extra} <= set(known.metrics)
    )


def _systems(result: Result, task: TaskFacts) -> set[object]:
    return {score.system for score in result.scores if score.task == task.name}


def _score_names(result: Result, task: TaskFacts) -> set[str]:
    return {score.metric for score in result.scores if score.task == task.name}


def _taken(old: Result, task: str, wanted: Sequence[str], names: set[str]) -> Added:
    rows: dict[Key, Rows] = {}
    with open_rows(old.folder) as stored:
        for key in stored.keys():  # noqa: SIM118  a file, and not a mapping
            if key[0] == task and key[2] in wanted and (found := stored.get(key)) is not None:
                rows[key] = found
    return Added(
        scores=tuple(score for score in old.scores if score.task == task and score.metric in names),
        comparisons=tuple(
            comparison
            for comparison in old.comparisons
            if comparison.task == task and comparison.metric in names
        ),
        rows=rows,
    )


def _together(parts: Sequence[Added]) -> Added:
    return Added(
        scores=tuple(score for part in parts for score in part.scores),
        comparisons=tuple(comparison for part in parts for comparison in part.comparisons),
        rows={key: rows for part in parts for key, rows in part.rows.items()},
    )
