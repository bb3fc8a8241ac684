"""Forecast, before a run, how often an adapter with no true drop will pass a gate. Pure functions.

The standard error of the difference is taken from an adapter and its base in an earlier result or a baseline, scaled to the
number of samples. It is an estimate; `harness gate` says afterwards what the standard error was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from harness import metrics, stats
from harness import text as words
from harness.gates import rules
from harness.gates.checks import Check
from harness.results import Result
from harness.results.baseline import Baseline, BaselineSystem
from harness.types.verdict import LIKELY

UNKNOWN = "not known before a first run or a baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The standard error of a difference, and its source."""

    error: float  # standard error of the difference
    n: int  # samples of the source
    level: float  # the score that a relative drop is a share of
    source: str
    most: bool = False  # computed as if unpaired, so the true error is smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A question that a run will ask of n samples, with what is known before the run."""

    check: Check
    n: int
    spread: Spread | None = None
    because: str = UNKNOWN  # why no spread is known

    @property
    def margin(self) -> float:
        """Return the tolerated drop in points."""
        tolerated = self.check.rule.tolerated_drop
        assert tolerated is not None
        return tolerated(self.check.limit, self.spread.level if self.spread else 0.0)

    @property
    def chance(self) -> float | None:
        """Return the probability that an adapter with no true drop passes; None where no spread is known."""
        if self.spread is None:
            return None
        return stats.pass_chance(self.margin, self.spread.error * sqrt(self.spread.n / self.n))

    @property
    def needs(self) -> int | None:
        """Return the number of samples at which that probability is 80 %; None if no number suffices."""
        assert self.spread is not None
        return stats.samples_for_pass(self.margin, self.spread.error, self.spread.n)


def of_result(check: Check, result: Result, source: str) -> Spread | None:
    """Return the spread of the adapter's comparison with its base in an earlier result; None without one."""
    (system,) = check.systems
    base = system.base
    levels = {
        score.system: score.value
        for score in result.scores
        if (score.task, score.metric) == (check.task, check.metric)
    }
    level = levels.get(base if check.gate.against in (None, rules.BASE) else system)
    for comparison in result.comparisons:
        asked = (comparison.task, comparison.metric, comparison.baseline, comparison.candidate)
        if asked == (check.task, check.metric, base, system) and level is not None:
            return _spread(comparison.detectable / stats.DETECTED, comparison.n, level, source)
    return None


def of_baseline(check: Check, baseline: Baseline) -> Spread | None:
    """Return the spread by a baseline's rows: of adapter against base, else of the score alone, as if unpaired."""
    (system,) = check.systems
    own = baseline.systems.get((check.task or "", system))
    base = baseline.systems.get((check.task or "", system.base))
    if own is None or check.plugin is None or check.plugin not in own.rows or check.metric is None:
        return None
    metric = metrics.own(check.plugin)
    if metric is None or metric.formula is None:
        return None
    sides = [own]
    if base and base is not own and check.plugin in base.rows and set(base.ids) == set(own.ids):
        sides.append(base)
    rows = np.stack([_ordered(side, own.ids, check.plugin) for side in sides], axis=1)
    table = metric.table(rows)
    name = metric.names.index(check.metric)
    level = float(table.scores()[0, name])
    if len(sides) == 2:
        return _spread(_error(table, name), len(own.ids), level, baseline.name)
    error = sqrt(2) * float(stats.resampled([table])[0][0, name].std(ddof=1))
    return _spread(error, len(own.ids), level, baseline.name, most=True)


def _error(table: stats.Table, name: int) -> float:
    """Return the standard error of the first score minus the second, by the kind of interval that will judge it."""
    if table.interval == "wilson":
        own, base = table.rows[..., 0].T
        return stats.changed_interval(int((own > base).sum()), int((own < base).sum()), len(own))[2]
    own, base = stats.resampled([table])[0][:, name]
    return float((own - base).std(ddof=1))


def lines(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """Yield a line for each gate, task and metric, about the system that is least likely to pass."""
    groups: dict[tuple[str | None, ...], list[Forecast]] = {}
    for forecast in forecasts:
        check = forecast.check
        key = (
            rules.name(check.gate, check.rule, check.limit),
            check.rule.name,
            check.task,
            check.metric,
            check.gate.against,
        )
        groups.setdefault(key, []).append(forecast)
    for group in groups.values():
        known = [forecast for forecast in group if forecast.spread]
        yield _line(known, len(group) - len(known)) if known else _unknown(group)


def _spread(error: float, n: int, level: float, source: str, *, most: bool = False) -> Spread | None:
    """Return the spread; None for too few samples, or without variance."""
    if n < rules.FEWEST or error <= 0:
        return None
    return Spread(error=error, n=n, level=level, source=source, most=most)


def _ordered(kept: BaselineSystem, ids: Sequence[str], plugin: str) -> stats.Array:
    places = {sample: place for place, sample in enumerate(kept.ids)}
    return kept.rows[plugin][[places[sample] for sample in ids]]


def _line(known: Sequence[Forecast], unknown: int) -> str:
    """Return `max_drop 1.0 needs n ≥ 1,600 here: with n = 819 an adapter … passes 70 times in 100 (…)`."""
    worst = min(known, key=lambda each: each.chance or 0.0)
    spread, chance, rule = worst.spread, worst.chance, _gate(worst.check)
    assert spread is not None and chance is not None
    error = words.number(spread.error * sqrt(spread.n / worst.n), 2)
    facts = (
        _judged(worst.check) + (f" and {words.plural(len(known) - 1, 'other')}" if len(known) > 1 else ""),
        f"SE {'at most ' if spread.most else ''}{error}, by {spread.source} with n = {spread.n:,}",
        f"{words.plural(unknown, 'other')} {UNKNOWN}" if unknown else "",
    )
    least = "at least " if spread.most else ""
    # Rounded down: 79.9 % are not the required 80 %.
    said = f"with n = {worst.n:,} an adapter that lost nothing passes {least}{int(100 * chance)} times in 100"
    told = f"{said} ({'; '.join(filter(None, facts))})"
    if chance >= LIKELY:
        return f"{rule}: {told}"
    needs = worst.needs
    if needs is None:
        return f"few samples: {rule} is too strict here: {told}"
    return f"few samples: {rule} needs n ≥ {needs:,} here{' at most' if spread.most else ''}: {told}"


def _unknown(group: Sequence[Forecast]) -> str:
    first = group[0]
    others = f" and {words.plural(len(group) - 1, 'other')}" if len(group) > 1 else ""
    whose = f"{_judged(first.check)}{others}"
    return f"{_gate(first.check)}: how often an adapter that lost nothing passes is {first.because} ({whose})"


def _gate(check: Check) -> str:
    return words.name(rules.name(check.gate, check.rule, check.limit))


def _judged(check: Check) -> str:
    """Return `llama2-tiny + quickstart on samsum, ROUGE-L`."""
    on = f" on {words.name(check.task)}" if check.task else ""
    metric = f", {words.name(words.metric(check.metric))}" if check.metric else ""
    return f"{words.name(check.subject)}{on}{metric}"
