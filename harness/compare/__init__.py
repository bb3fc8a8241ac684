"""Compare two RESULTs, or two systems, on the samples that both answered (`harness compare A B`).

Remarks say what cannot be compared, and what else was done differently.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase

from harness.compare import sides
from harness.compare.comparable import comparable
from harness.compare.lines import lines
from harness.compare.records import ComparedTask, SideBySide
from harness.compare.sides import ComparisonRequest, Remarks, Side, Systems
from harness.compare.texts import share, with_texts
from harness.errors import ResultError, UnknownName
from harness.results import provenance as unlike
from harness.results.missing import missing


def side_by_side(
    a: str,  # RESULT, or RESULT#SYSTEM
    b: str,
    *,
    task: str = "*",  # pattern
    metric: str | None = None,  # pattern; None: each task's primary metric
    seed: int = 0,
    samples: int = 0,  # how many of the samples that changed most are listed
) -> SideBySide:
    """Compare B with A; ResultError if nothing can be compared."""
    with ExitStack() as stack:
        left, right = sides.opened(a, b, stack)
        systems, only = sides.matched(left, right)
        names, more = sides.tasks(left, right, task)
        request = ComparisonRequest(
            a=left, b=right, systems=systems, metric=metric, seed=seed, samples=samples
        )
        if metric is not None:
            _known_metric(request, metric, names)
        tasks = tuple(_task(request, name) for name in names)
    if not any(task.lines for task in tasks):
        reasons = "; ".join(f"{task.name}: {remark}" for task in tasks for remark in task.remarks)
        raise ResultError(f"{a} and {b}: nothing can be compared: {reasons}")
    return SideBySide(
        a=a,
        b=b,
        named=any(ours != theirs for ours, theirs in systems),
        seed=seed,
        tasks=tasks,
        remarks=(*_lacking(left, right), *only, *more, *dict.fromkeys(_unlike(left, right, systems))),
    )


def _lacking(a: Side, b: Side) -> Iterator[str]:
    """Yield what a partial or unfinished RESULT lacks."""
    for side in (a,) if a.result is b.result else (a, b):
        if lacks := missing(side.result.steps):
            yield f"{side.letter} is {lacks.word}: {lacks.sentence}"


def _known_metric(request: ComparisonRequest, pattern: str, tasks: Sequence[str]) -> None:
    known = {name for side in (request.a, request.b) for task in tasks for _, name in side.scores(task)}
    if not any(fnmatchcase(name, pattern) for name in known):
        raise UnknownName("metric", pattern, known)


def _unlike(a: Side, b: Side, systems: Sequence[Systems]) -> Iterator[str]:
    """Yield how bases and adapters of the same name differ, and how the two runs differ."""
    if a.result is b.result:
        return
    for ours, theirs in systems:
        if ours.model == theirs.model:
            yield from unlike.of_base(a.result, b.result, ours.model)
        if ours.adapter is not None and ours == theirs:
            yield from unlike.of_adapter(a.result, b.result, ours)
    yield from unlike.of_run(a.result, b.result)


def _task(request: ComparisonRequest, name: str) -> ComparedTask:
    remarks = Remarks(request.systems)
    if request.a.result is not request.b.result:
        for text in unlike.of_task(request.a.result, request.b.result, name):
            remarks.add(text)
    for pair in request.systems:
        for text in unlike.of_prompts(request.a.result, request.b.result, name, *pair):
            remarks.add(text, pair)
    joints, bare = comparable(request.a, request.b, name, request.systems, request.metric, remarks)
    found = lines(request, name, joints, bare, remarks)
    return ComparedTask(
        name=name,
        primary=request.a.task(name).primary,
        lines=with_texts(request, name, found),
        remarks=remarks.sentences(),
        share=share(request, name),
    )
