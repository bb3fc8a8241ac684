"""Check whether a RESULT's comparisons follow from its rows: each pair is compared again, as the run compared it."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness._version import __version__
from harness.metrics import Code, Metric
from harness.results import Result, TaskFacts
from harness.scoring import comparisons as pairs
from harness.scoring.agreement import EXACT
from harness.types import Comparison, System

# The ends of a 95 % interval from two bootstraps of 10,000 resamples differ with a standard deviation of 0.04 standard
# errors (quantile standard error sqrt(0.025 * 0.975 / 10,000) / 0.0584 = 0.027, times sqrt 2): 5 % of the width is 5 such
# deviations. Two bootstrap standard errors differ by 1 % (1 / sqrt(2 * 10,000), times sqrt 2): 5 % is 5 such deviations too.
SPREAD = 0.05
DEVIATIONS = 5  # standard deviations of the difference of two p, each from 10,000 resamples

Rows = NDArray[np.float64]  # [n, k]
Asked = tuple[System, System, str]  # baseline, candidate, score


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRows:
    """The rows of one system on one task, in the order of its answers."""

    ids: tuple[str, ...]
    clusters: tuple[int, ...] | None
    # By metric plug-in; a metric with `corpus` has no rows
    rows: Mapping[str, Rows] = field(default_factory=dict)


RowsBySystem = Mapping[tuple[str, System], SystemRows]


def check_comparisons(
    result: Result,
    cells: RowsBySystem,
    foreign: Container[tuple[str, str]] = (),
    code: Code = metrics.OWN,
) -> Iterator[str]:
    """Yield a sentence for each comparison that differs from what the rows give, is listed twice, or is missing.

    A (task, score) in `foreign` was scored by code that is not run: its comparisons are not checked against rows.
    """
    for task in result.suite.tasks:
        listed = [comparison for comparison in result.comparisons if comparison.task == task.name]
        if not listed:
            continue
        systems = {system for name, system in cells if name == task.name}
        known = [
            comparison for comparison in listed if {comparison.baseline, comparison.candidate} <= systems
        ]
        yield from _twice(listed)
        yield from _families(result, task, listed)
        own = [comparison for comparison in known if (comparison.task, comparison.metric) not in foreign]
        yield from _differing(result, task, own, cells, code)


def made_alike(result: Result) -> bool:
    """Return whether this harness, with the installed numpy, draws the same resamples as the run of the RESULT."""
    made = result.manifest
    versions = {made.harness, *(time.harness for time in made.rescored)}
    numpy = made.libraries.get("numpy")
    return numpy == np.__version__ and versions == {__version__} and made.seed is not None


def said(comparison: Comparison) -> str:
    """Return a comparison as a message names it."""
    return f"{comparison.task} / {comparison.candidate} against {comparison.baseline} / {comparison.metric}"


def _twice(listed: Sequence[Comparison]) -> Iterator[str]:
    seen: set[tuple[frozenset[System], str]] = set()
    for comparison in listed:
        key = frozenset((comparison.baseline, comparison.candidate)), comparison.metric
        if key in seen:
            yield f"{said(comparison)}: compared twice in result.json"
        seen.add(key)


def _families(result: Result, task: TaskFacts, listed: Sequence[Comparison]) -> Iterator[str]:
    """Yield a sentence for each comparison outside its question's family, and for each family that is not complete."""
    if all(comparison.family is None and comparison.better is None for comparison in listed):
        return  # an older RESULT, which corrected nothing
    systems = list(
        dict.fromkeys(
            score.system
            for score in result.scores
            if score.task == task.name and score.metric == task.primary
        )
    )
    families = {pair: name for name, asked in pairs.families(task.name, systems).items() for pair in asked}
    for comparison in listed:
        family = _family(families, comparison) if comparison.metric == task.primary else None
        if comparison.family != family:
            yield f"{said(comparison)}: the family {comparison.family!r} in result.json, it belongs to {family!r}"
    own = {
        frozenset((comparison.baseline, comparison.candidate))
        for comparison in listed
        if comparison.metric == task.primary
    }
    for a, b in families if own else ():
        if frozenset((a, b)) not in own:
            yield f"{task.name} / {b} against {a} / {task.primary}: missing from its family"


def _family(families: Mapping[tuple[System, System], str], comparison: Comparison) -> str | None:
    """Return the family of a comparison; two bases, or two adapters, may be compared in either order."""
    either = bool(comparison.baseline.adapter) == bool(comparison.candidate.adapter)
    found = families.get((comparison.baseline, comparison.candidate))
    return families.get((comparison.candidate, comparison.baseline)) if found is None and either else found


def _differing(
    result: Result, task: TaskFacts, listed: Sequence[Comparison], cells: RowsBySystem, code: Code
) -> Iterator[str]:
    systems = tuple(
        dict.fromkeys(
            system for comparison in listed for system in (comparison.baseline, comparison.candidate)
        )
    )
    scored = _scored(task, systems, cells, code)
    if isinstance(scored, str):
        yield scored
        return
    if scored is None or not scored.tells:
        yield from (f"{said(comparison)}: no rows to compare by" for comparison in listed)
        return
    recomputed = _again(scored, task.primary, listed, result.seed)
    older = (
        _bootstrapped(scored, listed, result.seed)
        if any(comparison.better is None for comparison in listed)
        else {}
    )
    alike = made_alike(result)
    for comparison in listed:
        fresh = recomputed.get((comparison.baseline, comparison.candidate, comparison.metric))
        if fresh is None:
            yield f"{said(comparison)}: no metric of the task has rows to compare this by"
            continue
        problems = _unlike(comparison, fresh, alike)
        bootstrapped = older.get((comparison.baseline, comparison.candidate, comparison.metric))
        if problems and not alike and comparison.better is None and bootstrapped is not None:
            # Older versions of the harness drew a bootstrap interval for hits.
            problems = _unlike(comparison, replace(bootstrapped, p=fresh.p, test=fresh.test), alike)
        yield from problems


def _scored(
    task: TaskFacts, systems: tuple[System, ...], cells: RowsBySystem, code: Code
) -> pairs.Scored | str | None:
    """Return the task's tables, or what is wrong with its samples; None without systems or rows."""
    here = [cells[task.name, system] for system in systems]
    if not here:
        return None
    for system, cell in zip(systems, here, strict=True):
        if cell.ids != here[0].ids:
            return f"{task.name}: {system} and {systems[0]} are compared, but answered different samples"
    used: list[Metric] = []
    tables: list[stats.Table] = []
    for name in here[0].rows:
        metric = metrics.own(name, code=code)
        if metric is None or metric.formula is None or any(name not in cell.rows for cell in here):
            continue
        rows = np.stack([cell.rows[name] for cell in here], axis=1)
        used.append(metric)
        tables.append(metric.table(rows))
    if not tables:
        return None
    return pairs.Scored(
        task=task.name, systems=systems, metrics=tuple(used), tables=tuple(tables), clusters=here[0].clusters
    )


def _again(
    scored: pairs.Scored, primary: str, listed: Sequence[Comparison], seed: int
) -> dict[Asked, Comparison]:
    """Return every comparison, recomputed; small p of a family from as many resamples as Holm's correction needs."""
    places = {system: place for place, system in enumerate(scored.systems)}
    asked = {(places[comparison.baseline], places[comparison.candidate]): None for comparison in listed}
    found = dict(pairs.compared(scored, list(asked), seed))
    families: dict[str, dict[stats.Pair, None]] = {}
    for comparison in listed:
        if comparison.family is not None:
            pair = places[comparison.baseline], places[comparison.candidate]
            families.setdefault(comparison.family, {})[pair] = None
    for own in families.values():
        found |= pairs.refined(scored, {pair: found[pair] for pair in own}, primary, len(own), seed)
    return _by_asked(found)


def _bootstrapped(scored: pairs.Scored, listed: Sequence[Comparison], seed: int) -> dict[Asked, Comparison]:
    places = {system: place for place, system in enumerate(scored.systems)}
    asked = {(places[comparison.baseline], places[comparison.candidate]): None for comparison in listed}
    tables = tuple(replace(table, interval="bootstrap") for table in scored.tables)
    return _by_asked(pairs.compared(replace(scored, tables=tables), list(asked), seed))


def _by_asked(found: pairs.Found) -> dict[Asked, Comparison]:
    return {
        (comparison.baseline, comparison.candidate, comparison.metric): comparison
        for of_pair in found.values()
        for comparison in of_pair
    }


def _unlike(comparison: Comparison, fresh: Comparison, alike: bool) -> list[str]:
    """Return a sentence for each field of a comparison that differs from the recomputed comparison."""
    width = 0.0 if alike else SPREAD * (fresh.high - fresh.low)
    tolerances = {
        "low": width + EXACT,
        "high": width + EXACT,
        "p": EXACT if alike else _tolerance_of_p(fresh),
        "detectable": EXACT + (0.0 if alike else SPREAD * fresh.detectable),
    }
    problems = []
    for name in ("n", "better", "worse"):
        recorded, now = getattr(comparison, name), getattr(fresh, name)
        if recorded != now and not (recorded is None and not alike):
            problems.append(_sentence(comparison, name, recorded, now))
    for name, tolerance in tolerances.items():
        recorded, now = getattr(comparison, name), getattr(fresh, name)
        if not abs(recorded - now) <= tolerance:
            problems.append(_sentence(comparison, name, f"{recorded:.6f}", f"{now:.6f}"))
    if alike and comparison.test != fresh.test:
        problems.append(_sentence(comparison, "test", comparison.test, fresh.test))
    if comparison.low > comparison.high:
        problems.append(
            f"{said(comparison)}: an interval from {comparison.low:.6f} down to {comparison.high:.6f}"
        )
    return problems


def _tolerance_of_p(fresh: Comparison) -> float:
    """Return how far two p from different resamples may lie apart; p of an exact test must be equal."""
    if fresh.test == stats.MCNEMAR:
        return EXACT
    return DEVIATIONS * sqrt(2 * fresh.p * (1 - fresh.p) / stats.RESAMPLES) + 2 / stats.RESAMPLES


def _sentence(comparison: Comparison, name: str, recorded: Any, now: Any) -> str:
    return f"{said(comparison)}: {name} {recorded} in result.json, {now} from the rows"
