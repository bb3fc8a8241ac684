"""`harness compare A B`: two RESULTs, or two systems, paired on the samples that both answered.

What keeps two scores from being compared, and what else was done otherwise, is said beside them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from harness import pairs, stats, trivial
from harness.comparable import Joint, Remarks, Scores, Side, Systems, comparable
from harness.errors import ResultError, UnknownName
from harness.metrics import Array
from harness.report.side_by_side import Change, Line, SideBySide, Task, Texts
from harness.result import Result, read, read_generations, read_samples, unlike
from harness.result.rows import open_rows
from harness.types import Sample, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be compared, and how much is to be said of it."""

    a: Side
    b: Side
    systems: Sequence[Systems]
    metric: str | None  # a pattern; None: what decides
    seed: int
    samples: int  # how many of those that changed most


def side_by_side(
    a: str,  # RESULT, or RESULT#SYSTEM
    b: str,
    *,
    task: str = "*",  # pattern
    metric: str | None = None,  # pattern; None: each task's primary
    seed: int = 0,
    samples: int = 0,
) -> SideBySide:
    with ExitStack() as stack:
        left, right = _sides(a, b, stack)
        systems, remarks = _matched(left, right)
        names, more = _tasks(left, right, task)
        asked = Asked(a=left, b=right, systems=systems, metric=metric, seed=seed, samples=samples)
        if metric is not None:
            _known_metric(asked, names)
        tasks = tuple(_task(asked, name) for name in names)
    if not any(one.lines for one in tasks):
        reasons = (f"{one.name}: {remark}" for one in tasks for remark in one.remarks)
        raise ResultError(f"{a} and {b}: nothing can be compared: {'; '.join(reasons)}")
    named = left.system is not None and right.system is not None
    remarks = (*remarks, *more, *dict.fromkeys(_unlike(left, right, systems)))
    return SideBySide(a=a, b=b, named=named, seed=seed, tasks=tasks, remarks=remarks)


# Who is compared.


def _sides(a: str, b: str, stack: ExitStack) -> tuple[Side, Side]:
    folders = [_parted(text) for text in (a, b)]
    first = read(folders[0][0])
    same = folders[0][0].resolve() == folders[1][0].resolve()
    results = (first, first if same else read(folders[1][0]))
    left, right = (
        Side(
            letter=letter, said=said, result=result, system=None if name is None else find(result, name),
            rows=stack.enter_context(open_rows(result.folder)),
        )
        for letter, said, result, (_, name) in zip("AB", (a, b), results, folders, strict=True)
    )  # fmt: skip
    return left, right


def _parted(text: str) -> tuple[Path, str | None]:
    """The folder and the system's name. Both may hold a #, as seeds of adapters do."""
    cuts = [len(text), *(found.start() for found in reversed(list(re.finditer("#", text))))]
    folders = [cut for cut in cuts if Path(text[:cut]).is_dir()]
    cut = folders[0] if folders else cuts[-1]
    return Path(text[:cut]), text[cut + 1 :] if cut < len(text) else None


def find(result: Result, name: str) -> System:
    """The system that is printed so; spaces count for nothing."""
    known = {_without_spaces(str(score.system)): score.system for score in result.scores}
    if _without_spaces(name) not in known:
        raise UnknownName("system", name, map(str, known.values()), str(result.folder))
    return known[_without_spaces(name)]


def _without_spaces(name: str) -> str:
    return "".join(name.split())


def _matched(a: Side, b: Side) -> tuple[list[Systems], tuple[str, ...]]:
    """The systems named, or those of the same name; and what only one side has."""
    for side in (a, b):
        if not side.result.scores:
            raise ResultError(f"{side.said}: holds no scores; `harness run` its suite again")
    example = f"{a.result.folder}#{a.systems()[0]}"
    if a.result is b.result and a.system == b.system:
        raise ResultError(f"{a.said} and {b.said} are the same; name two systems, as '{example}'")
    if a.system is not None and b.system is not None:
        return [(a.system, b.system)], ()
    if (named := a.system or b.system) is not None:
        return [(find(a.result, str(named)), find(b.result, str(named)))], ()
    both = [one for one in a.systems() if one in b.systems()]
    if not both:
        raise ResultError(f"{a.said} and {b.said}: no system of the same name; name one of each, as '{example}'")
    remarks = (*_only_in(a, a.systems(), both), *_only_in(b, b.systems(), both))
    return [(one, one) for one in both], tuple(remarks)


def _tasks(a: Side, b: Side, pattern: str) -> tuple[list[str], tuple[str, ...]]:
    """The tasks that both have and that are asked for; and what only one has."""
    ours, theirs = ([task.name for task in side.result.suite.tasks] for side in (a, b))
    both = [name for name in ours if name in theirs]
    if not both:
        have = (f"{side.said} has {', '.join(names)}" for side, names in ((a, ours), (b, theirs)))
        raise ResultError(f"no task in common: {'; '.join(have)}")
    asked = [name for name in both if fnmatchcase(name, pattern)]
    if not asked:
        raise UnknownName("task of both results", pattern, both)
    return asked, (*_only_in(a, ours, both), *_only_in(b, theirs, both))


def _only_in(side: Side, all_of_it: Sequence[object], both: Sequence[object]) -> Iterator[str]:
    lost = [str(one) for one in all_of_it if one not in both]
    if lost:
        yield f"only in {side.letter}: {', '.join(lost)}"


def _known_metric(asked: Asked, tasks: Sequence[str]) -> None:
    assert asked.metric is not None
    known = {name for side in (asked.a, asked.b) for task in tasks for _, name in side.scores(task)}
    if not any(fnmatchcase(name, asked.metric) for name in known):
        raise UnknownName("metric", asked.metric, known)


def _unlike(a: Side, b: Side, systems: Sequence[Systems]) -> Iterator[str]:
    """What the same names stand for in two results."""
    for one, other in systems if a.result is not b.result else ():
        if one.model == other.model:
            yield from unlike.of_base(a.result, b.result, one.model)
        if one.adapter is not None and one == other:
            yield from unlike.of_adapter(a.result, b.result, one)


# What is found on one task.


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pairs on the same samples under the same metrics: they share tables and a draw."""

    ids: tuple[str, ...]
    systems: tuple[Systems, ...]
    scored: pairs.Scored  # all systems of A, then all of B

    @property
    def places(self) -> list[stats.Pair]:
        return [(place, place + len(self.systems)) for place in range(len(self.systems))]


def _task(asked: Asked, name: str) -> Task:
    remarks = Remarks(asked.systems)
    for text in unlike.of_task(asked.a.result, asked.b.result, name) if asked.a.result is not asked.b.result else ():
        remarks.add(text)
    joints, bare = comparable(asked.a, asked.b, name, asked.systems, asked.metric, remarks)
    primary = asked.a.task(name).primary
    groups = _groups(asked, name, joints)
    size = sum(len(group.systems) for group in groups if any(primary in one.names for one in group.scored.metrics))
    lines = [line for group in groups for line in _lines(asked, group, primary, size, remarks)]
    lines = [*_corrected(lines, primary, f"{name}: B against A"), *(_bare(scores, remarks) for scores in bare)]
    order = list(dict.fromkeys(line.metric for line in lines))
    lines.sort(key=lambda line: (line.metric != primary, order.index(line.metric), asked.systems.index((line.baseline, line.candidate))))
    return Task(name=name, primary=primary, lines=tuple(_with_texts(asked, name, lines)), remarks=remarks.told())


def _groups(asked: Asked, task: str, joints: Sequence[Joint]) -> list[Group]:
    of_pair: dict[tuple[tuple[str, ...], Systems], list[Joint]] = {}
    for joint in joints:
        of_pair.setdefault((joint.ids, joint.systems), []).append(joint)
    alike: dict[tuple[object, ...], list[list[Joint]]] = {}
    for (ids, _), own in of_pair.items():
        alike.setdefault((ids, *((one.plugin, one.metric.names) for one in own)), []).append(own)
    labels = _labels(asked, task) if joints else None
    return [_group(task, together, labels) for together in alike.values()]


def _group(task: str, together: Sequence[Sequence[Joint]], labels: Mapping[str, str] | None) -> Group:
    first = together[0]
    systems, ids = tuple(own[0].systems for own in together), first[0].ids
    tables = [
        stats.Table(
            rows=np.stack([own[place].rows[side] for side in (0, 1) for own in together], axis=1),
            value=one.metric.value, interval=one.metric.interval,
        )
        for place, one in enumerate(first) if one.metric.value is not None
    ]  # fmt: skip
    scored = pairs.Scored(
        task=task,
        systems=tuple(pair[side] for side in (0, 1) for pair in systems),
        metrics=tuple(one.metric for one in first),
        tables=tuple(tables),
        clusters=None if labels is None else _numbers([labels[one] for one in ids]),
    )
    return Group(ids=ids, systems=systems, scored=scored)


def _labels(asked: Asked, task: str) -> Mapping[str, str] | None:
    """By the sample's id, what it shares with those that are resampled together."""
    side = asked.a if asked.a.task(task).cluster is not None else asked.b
    column = side.task(task).cluster
    if column is None:
        return None
    ...


def _numbers(labels: Sequence[str]) -> list[int]:
    known: dict[str, int] = {}
    return [known.setdefault(label, len(known)) for label in labels]
