"""How the scores of a suite move from one RESULT to the next: a series for each system, with the limits of its gates.

Two neighbouring points are joined only if they mean the same: same signature of the metric, same samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from harness import text as words
from harness.report.site.members import Member
from harness.results import Result, verdicts
from harness.types import Gate, Score, System, Verdict

BASE = "base"
SHORT = 7  # digits of a commit that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimit:
    """What a gate demands of a score, in the score's own unit."""

    value: float
    says: str  # "max_drop 1.0 against base"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A system's score in one RESULT."""

    member: Member
    place: int  # of the RESULT among those of the trend, from 0
    when: str  # "2026-11-23"
    commit: str  # "4e7968f", of the project; "" if unknown
    score: Score
    part: int  # points of the same part are comparable, and joined
    limit: GateLimit | None
    verdict: str  # of the gate's rule that gives the limit; "" if it was not judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A system's scores, the oldest first."""

    system: System
    points: tuple[TrendPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """All series of one task and metric."""

    task: str
    metric: str  # its name for people
    primary: bool
    lower: bool
    unit: str
    series: tuple[Series, ...]
    breaks: tuple[str, ...]  # sentences: where the lines are interrupted, and why

    @property
    def points(self) -> list[TrendPoint]:
        """Return the points of all series."""
        return [point for series in self.series for point in series.points]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteTrends:
    """The content of a suite's page."""

    key: str
    suite: str
    members: tuple[Member, ...]  # the oldest first
    whens: tuple[str, ...]  # a label for each
    undated: tuple[Member, ...]  # left out: they do not say when they were made
    trends: tuple[Trend, ...]


def suite_trends(key: str, suite: str, members: Sequence[Member]) -> SuiteTrends:
    """Return the trends of a suite's RESULTs."""
    dated = [(member.moment, member) for member in members]
    known = [(moment, member) for moment, member in dated if moment is not None]
    ordered = sorted(known, key=lambda pair: (pair[0], pair[1].name))
    whens = _labels([moment for moment, _ in ordered])
    chosen = tuple(member for _, member in ordered)
    primaries = {task.name: task.primary for member in chosen for task in member.result.suite.tasks}
    named = dict.fromkeys(
        (score.task, score.metric) for member in reversed(chosen) for score in member.result.scores
    )
    wanted = sorted(named, key=lambda name: (list(primaries).index(name[0]), primaries[name[0]] != name[1]))
    judged = [verdicts.follow(verdicts.read(member.folder), member.result)[0] for member in chosen]
    return SuiteTrends(
        key=key,
        suite=suite,
        members=chosen,
        whens=whens,
        undated=tuple(member for moment, member in dated if moment is None),
        trends=tuple(_trend(task, metric, chosen, whens, judged) for task, metric in wanted),
    )


def _labels(moments: Sequence[datetime]) -> tuple[str, ...]:
    """Return the day of each moment, with the time where several are of one day."""
    days = [moment.strftime("%Y-%m-%d") for moment in moments]
    return tuple(
        f"{day} {moment:%H:%M}" if days.count(day) > 1 else day
        for day, moment in zip(days, moments, strict=True)
    )


def _trend(
    task: str,
    metric: str,
    members: Sequence[Member],
    whens: Sequence[str],
    judged: Sequence[tuple[Verdict, ...]],
) -> Trend:
    found: dict[System, list[TrendPoint]] = {}
    last: dict[System, tuple[str, str]] = {}
    breaks: dict[tuple[int, str], list[System]] = {}
    for place, member in enumerate(members):
        for score in member.result.scores:
            if (score.task, score.metric) != (task, metric):
                continue
            meaning = score.signature, _samples(member.result, task)
            points = found.setdefault(score.system, [])
            part = points[-1].part if points else 0
            if points and meaning != last[score.system]:
                part += 1
                why = "the signature" if meaning[0] != last[score.system][0] else "the samples"
                breaks.setdefault((place, why), []).append(score.system)
            last[score.system] = meaning
            limit, verdict = _limit(member.result, score, judged[place])
            points.append(
                TrendPoint(
                    member=member, place=place, when=whens[place], commit=member.result.manifest.commit[:SHORT],
                    score=score, part=part, limit=limit, verdict=verdict,
                )
            )  # fmt: skip
    some = next(points[-1].score for points in found.values())
    return Trend(
        task=task,
        metric=words.metric(metric),
        primary=some.primary,
        lower=some.better == "lower",
        unit=some.unit,
        series=tuple(
            Series(system=system, points=tuple(points))
            for system, points in sorted(found.items(), key=_order)
        ),
        breaks=tuple(
            f"At {whens[place]} {why} changed"
            + ("" if len(systems) == len(found) else f" for {words.listed([*map(words.system, systems)])}")
            + ": scores before and after it are not comparable, and no line joins them."
            for (place, why), systems in breaks.items()
        ),
    )


def _order(item: tuple[System, list[TrendPoint]]) -> tuple[bool, str, str, int]:
    system = item[0]
    return system.is_trivial, system.model, system.adapter or "", system.shots


def _samples(result: Result, task: str) -> str:
    """Return what identifies the samples of a task; an older result has only the digest of its source."""
    facts = next((one for one in result.suite.tasks if one.name == task), None)
    return (
        (facts.samples if facts else "") or result.manifest.sources.get(task, "") or str(result.suite.limit)
    )


def _limit(result: Result, score: Score, judged: Sequence[Verdict]) -> tuple[GateLimit | None, str]:
    """Return the limit that a gate of the RESULT sets to a score, and its verdict; the first gate counts."""
    for gate in result.suite.gates:
        if not _meant(gate, score):
            continue
        for rule, bound in gate.rules.items():
            verdict = next((one for one in judged if one.rule == rule and _judges(one, gate, score)), None)
            against = (verdict.against if verdict else gate.against) or BASE
            value = _value(result, score, rule, bound, verdict, against)
            if value is not None:
                says = f"{rule} {bound}" + (f" against {against}" if rule == "max_drop" else "")
                return GateLimit(value=value, says=says), verdict.verdict if verdict else ""
    return None, ""


def _meant(gate: Gate, score: Score) -> bool:
    """Return whether a gate judges this score as a whole: not a slice of it, and not the mean over a recipe's seeds."""
    system = score.system
    if gate.where or gate.by or gate.recipe is not None or system.is_trivial or system.shots:
        return False
    metric = score.primary if gate.metric is None else fnmatchcase(score.metric, gate.metric)
    return (
        metric
        and fnmatchcase(score.task, gate.task)
        and fnmatchcase(system.model, gate.model)
        and fnmatchcase(system.adapter or BASE, gate.adapter)
    )


def _judges(verdict: Verdict, gate: Gate, score: Score) -> bool:
    same = (verdict.task, verdict.system, verdict.metric) == (score.task, score.system, score.metric)
    return same and verdict.slice is None and (gate.against is None or gate.against == verdict.against)


def _value(
    result: Result, score: Score, rule: str, bound: object, verdict: Verdict | None, against: str
) -> float | None:
    """Return the score at which a rule's limit lies; None where it sets none to a score, or it is not known."""
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return None
    if rule == "min_value":
        return float(bound)
    if rule != "max_drop":
        return None
    sign = 1.0 if score.better == "higher" else -1.0
    if (
        verdict is not None and verdict.value is not None
    ):  # a difference, above 0 if the judged system is better
        return score.value - sign * (verdict.value + bound)
    if verdict is not None or against != BASE or not score.system.adapter:
        return None
    key = score.task, score.metric, score.system.base
    base = next((one.value for one in result.scores if (one.task, one.metric, one.system) == key), None)
    return None if base is None else base - sign * bound


def of_models(trend: Trend) -> Iterator[tuple[str, tuple[Series, ...]]]:
    """Yield each model with the series of its base and adapters; trivial rules are left out."""
    models = dict.fromkeys(one.system.model for one in trend.series if not one.system.is_trivial)
    for model in models:
        yield model, tuple(one for one in trend.series if one.system.model == model)
