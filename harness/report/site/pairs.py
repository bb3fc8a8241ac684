"""Two RESULTs side by side: every score of both, and the paired difference where the same samples were answered."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness import text as words
from harness.compare.records import PairUnderMetric, SideBySide
from harness.report import side_by_side
from harness.report.site.members import Member
from harness.types import Score, System


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedLine:
    """A system's scores in both RESULTs."""

    system: str
    role: str  # "trivial", "adapter" or "base"
    a: Score | None  # None: A has no such score
    b: Score | None
    pair: PairUnderMetric | None  # None: not paired
    why: str  # it is not paired; "" if it is


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTable:
    """The lines of one task and metric."""

    task: str
    metric: str  # its name for people
    primary: bool
    lower: bool
    signatures: tuple[str, ...]  # one, or A's and B's if these differ
    answer: str  # a sentence on the primary metric; "" if nothing was paired
    lines: tuple[PairedLine, ...]
    remarks: tuple[str, ...]  # on the task, with its first table


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedResults:
    """The content of a page of two RESULTs."""

    a: Member
    b: Member
    tables: tuple[PairedTable, ...]
    remarks: tuple[str, ...]
    problem: str  # why nothing is paired; "" if something is
    seed: int


def paired(a: Member, b: Member, found: SideBySide | None, problem: str = "") -> PairedResults:
    """Return the content of the page of B against A; `found` is None where nothing could be compared, as `problem` says."""
    return PairedResults(
        a=a,
        b=b,
        tables=tuple(_tables(a, b, found, problem)),
        remarks=found.remarks if found else (),
        problem=problem,
        seed=found.seed if found else 0,
    )


def _tables(a: Member, b: Member, found: SideBySide | None, problem: str) -> Iterator[PairedTable]:
    scores = [
        {(score.task, score.metric, score.system): score for score in side.result.scores} for side in (a, b)
    ]
    compared = {task.name: task for task in found.tasks} if found else {}
    primaries = {task.name: task.primary for side in (b, a) for task in side.result.suite.tasks}
    for task, primary in primaries.items():
        own = compared.get(task)
        lines = {(line.metric, line.candidate): line for line in own.lines} if own else {}
        names = dict.fromkeys(metric for side in scores for of, metric, _ in side if of == task)
        for place, metric in enumerate(sorted(names, key=lambda name: name != primary)):
            systems = dict.fromkeys(
                system for side in scores for of, name, system in side if (of, name) == (task, metric)
            )
            known = [
                one for system in systems for side in scores if (one := side.get((task, metric, system)))
            ]
            yield PairedTable(
                task=task,
                metric=words.metric(metric),
                primary=metric == primary,
                lower=known[0].better == "lower",
                signatures=tuple(dict.fromkeys(score.signature for score in known)),
                answer=side_by_side.answer(found, own) if found and own and metric == primary else "",
                lines=tuple(
                    _line(
                        system, scores[0].get(key), scores[1].get(key), lines.get((metric, system)), problem
                    )
                    for system in systems
                    for key in [(task, metric, system)]
                ),
                remarks=own.remarks if own and not place else (),
            )


def _line(
    system: System, a: Score | None, b: Score | None, pair: PairUnderMetric | None, problem: str
) -> PairedLine:
    tested = pair if pair is not None and pair.comparison is not None else None
    return PairedLine(
        system=words.system(system),
        role="trivial" if system.is_trivial else "adapter" if system.adapter else "base",
        a=a,
        b=b,
        pair=tested,
        why="" if tested else _why(a, b, pair, problem),
    )


def _why(a: Score | None, b: Score | None, pair: PairUnderMetric | None, problem: str) -> str:
    """Return why two scores are not paired."""
    if a is None or b is None:
        return f"not paired: only {'B' if a is None else 'A'} has this score"
    if a.signature != b.signature:
        return "not paired: the signatures differ"
    if problem:
        return "not paired: see above"
    if pair is not None:
        return "not paired: there are no rows by sample, or too few samples"
    return "not paired: no sample was answered by both"
