"""Whether a RESULT's comparisons follow from its rows: each task's pairs are compared again, as the run compared them."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness._version import __version__
from harness.metrics import Metric
from harness.results import Result, TaskFacts
from harness.scoring import comparisons as pairs
from harness.scoring.agreement import EXACT
from harness.types import Comparison, System

# Two bootstraps of 10,000 resamples put an end of a 95 % interval within 0.04 standard errors of each other
# (quantile standard error sqrt(0.025 * 0.975 / 10,000) / 0.0584 = 0.027, times sqrt 2): 5 % of the width is 5 of these.
# It is 5 of a bootstrap's standard error too, which two of them have within 1 %: 1 / sqrt(2 * 10,000), times sqrt 2.
SPREAD = 0.05
DEVIATIONS = 5  # of the difference of two p, each of so many resamples

Rows = NDArray[np.float64]  # [n, k]
Asked = tuple[System, System, str]  # baseline, candidate, score


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRows:
    """One system's rows on one task, in the order of its answers."""

    ids: tuple[str, ...]
    clusters: tuple[int, ...] | None
    rows: Mapping[str, Rows] = field(
        default_factory=dict
    )  # by plug-in; none of one that is no function of sums


Cells = Mapping[tuple[str, System], SystemRows]


def check_comparisons(
    result: Result, cells: Cells, foreign: Container[tuple[str, str]] = ()
) -> Iterator[str]:
    """Yield a sentence for each comparison that is not what the rows give, is there twice, or is missing from its family.

    What foreign code scored, of (task, score), is taken as it is.
    """
    for task in result.suite.tasks:
        told = [one for one in result.comparisons if one.task == task.name]
        if not told:
            continue
        known = [
            one for one in told if {one.baseline, one.candidate} <= {s for t, s in cells if t == task.name}
        ]
        yield from _twice(told)
        yield from _families(result, task, told)
        own = [one for one in known if (one.task, one.metric) not in foreign]
        yield from _differing(result, task, own, cells)


def made_alike(result: Result) -> bool:
    """Whether this harness, with the numpy that is here, draws the same resamples as the RESULT's."""
    made = result.manifest
    versions = {made.harness, *(time.harness for time in made.rescored)}
    numpy = made.libraries.get("numpy")
    return numpy == np.__version__ and versions == {__version__} and made.seed is not None


def said(one: Comparison) -> str:
    """Return a comparison as a message names it."""
    return f"{one.task} / {one.candidate} against {one.baseline} / {one.metric}"


def _twice(told: Sequence[Comparison]) -> Iterator[str]:
    seen: set[tuple[frozenset[System], str]] = set()
    for one in told:
        key = frozenset((one.baseline, one.candidate)), one.metric
        if key in seen:
            yield f"{said(one)}: compared twice in result.json"
        seen.add(key)


def _families(result: Result, task: TaskFacts, told: Sequence[Comparison]) -> Iterator[str]:
    """Yield a sentence for each comparison outside its question's family, and for each family that is not complete."""
    if all(one.family is None and one.better is None for one in told):
        return  # older, and claims nothing
    systems = list(
        dict.fromkeys(
            one.system for one in result.scores if one.task == task.name and one.metric == task.primary
        )
    )
    families = {pair: name for name, asked in pairs.families(task.name, systems).items() for pair in asked}
    for one in told:
        family = _family(families, one) if one.metric == task.primary else None
        if one.family != family:
            yield f"{said(one)}: stands in the family {one.family!r} in result.json, it is of {family!r}"
    own = {frozenset((one.baseline, one.candidate)) for one in told if one.metric == task.primary}
    for a, b in families if own else ():
        if frozenset((a, b)) not in own:
            yield f"{task.name} / {b} against {a} / {task.primary}: missing from its family"


def _family(families: Mapping[tuple[System, System], str], one: Comparison) -> str | None:
    """Return the family of a comparison; two bases, or two adapters, may be compared either way round."""
    either = bool(one.baseline.adapter) == bool(one.candidate.adapter)
    found = families.get((one.baseline, one.candidate))
    return families.get((one.candidate, one.baseline)) if found is None and either else found


def _differing(result: Result, task: TaskFacts, told: Sequence[Comparison], cells: Cells) -> Iterator[str]:
    systems = tuple(dict.fromkeys(system for one in told for system in (one.baseline, one.candidate)))
    scored = _scored(task, systems, cells)
    if isinstance(scored, str):
        yield scored
        return
    if scored is None or not scored.tells:
        yield from (f"{said(one)}: there is nothing to compare by" for one in told)
        return
    fresh = _again(scored, task.primary, told, result.seed)
    older = _bootstrapped(scored, told, result.seed) if any(one.better is None for one in told) else {}
    alike = made_alike(result)
    for one in told:
        anew = fresh.get((one.baseline, one.candidate, one.metric))
        if anew is None:
            yield f"{said(one)}: no metric of the task has rows to compare this by"
            continue
        problems = _unlike(one, anew, alike)
        bootstrapped = older.get((one.baseline, one.candidate, one.metric))
        if problems and not alike and one.better is None and bootstrapped is not None:
            # Hits had a bootstrap interval once.
            problems = _unlike(one, replace(bootstrapped, p=anew.p, test=anew.test), alike)
        yield from problems


def _scored(task: TaskFacts, systems: tuple[System, ...], cells: Cells) -> pairs.Scored | str | None:
    """Return the task's tables, or what is wrong with its samples; None where there are no samples."""
    here = [cells[task.name, system] for system in systems]
    if not here:
        return None
    for system, cell in zip(systems, here, strict=True):
        if cell.ids != here[0].ids:
            return f"{task.name}: {system} and {systems[0]} are compared, and answered other samples"
    used: list[Metric] = []
    tables: list[stats.Table] = []
    for name in here[0].rows:
        metric = metrics.own(name)
        if metric is None or metric.value is None or any(name not in cell.rows for cell in here):
            continue
        rows = np.stack([cell.rows[name] for cell in here], axis=1)
        used.append(metric)
        tables.append(stats.Table(rows=rows, value=metric.value, interval=metric.interval))
    if not tables:
        return None
    return pairs.Scored(
        task=task.name, systems=systems, metrics=tuple(used), tables=tuple(tables), clusters=here[0].clusters
    )


def _again(
    scored: pairs.Scored, primary: str, told: Sequence[Comparison], seed: int
) -> dict[Asked, Comparison]:
    """Every comparison anew; small p of a family from as many resamples as it needs."""
    places = {system: place for place, system in enumerate(scored.systems)}
    asked = {(places[one.baseline], places[one.candidate]): None for one in told}
    found = dict(pairs.compared(scored, list(asked), seed))
    families: dict[str, dict[stats.Pair, None]] = {}
    for one in told:
        if one.family is not None:
            pair = places[one.baseline], places[one.candidate]
            families.setdefault(one.family, {})[pair] = None
    for own in families.values():
        found |= pairs.refined(scored, {pair: found[pair] for pair in own}, primary, len(own), seed)
    return _by_asked(found)


def _bootstrapped(scored: pairs.Scored, told: Sequence[Comparison], seed: int) -> dict[Asked, Comparison]:
    places = {system: place for place, system in enumerate(scored.systems)}
    asked = {(places[one.baseline], places[one.candidate]): None for one in told}
    tables = tuple(replace(table, interval="bootstrap") for table in scored.tables)
    return _by_asked(pairs.compared(replace(scored, tables=tables), list(asked), seed))


def _by_asked(found: pairs.Found) -> dict[Asked, Comparison]:
    return {(one.baseline, one.candidate, one.metric): one for told in found.values() for one in told}


def _unlike(one: Comparison, anew: Comparison, alike: bool) -> list[str]:
    """Return the fields of a comparison that differ from the recomputed one."""
    width = 0.0 if alike else SPREAD * (anew.high - anew.low)
    rooms = {
        "low": width + EXACT,
        "high": width + EXACT,
        "p": EXACT if alike else _room(anew),
        "detectable": EXACT + (0.0 if alike else SPREAD * anew.detectable),
    }
    problems = []
    for name in ("n", "better", "worse"):
        told, now = getattr(one, name), getattr(anew, name)
        if told != now and not (told is None and not alike):
            problems.append(_sentence(one, name, told, now))
    for name, room in rooms.items():
        told, now = getattr(one, name), getattr(anew, name)
        if not abs(told - now) <= room:
            problems.append(_sentence(one, name, f"{told:.6f}", f"{now:.6f}"))
    if alike and one.test != anew.test:
        problems.append(_sentence(one, "test", one.test, anew.test))
    if one.low > one.high:
        problems.append(f"{said(one)}: an interval from {one.low:.6f} down to {one.high:.6f}")
    return problems


def _room(anew: Comparison) -> float:
    """How far two p may lie apart that other resamples gave; of an exact test, not at all."""
    if anew.test == stats.MCNEMAR:
        return EXACT
    return DEVIATIONS * sqrt(2 * anew.p * (1 - anew.p) / stats.RESAMPLES) + 2 / stats.RESAMPLES


def _sentence(one: Comparison, name: str, told: Any, now: Any) -> str:
    return f"{said(one)}: {name} {told} in result.json, {now} from the rows"
