"""Before a run: how often an adapter that lost nothing will pass a gate with so many samples. Pure.

The standard error of its difference is that of an adapter against its base in something earlier, scaled to these samples.
It stands in for what nobody can know yet; `harness gate` says afterwards what it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from harness import metrics, stats
from harness import text as words
from harness.gates import rules
from harness.gates.checks import Check
from harness.report import verdicts
from harness.results import Result
from harness.results.baseline import Baseline, BaselineSystem

RULES = ("max_drop", "max_relative_drop")  # those that an innocent adapter may miss by chance alone
UNKNOWN = "not known before a first run or a baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far a difference scatters, and what says so."""

    error: float  # standard error of the difference
    n: int  # at so many samples
    level: float  # the score that a relative drop is a share of
    source: str
    most: bool = False  # of two systems on the same samples as if on others: the truth is less


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One question that a run will put to n samples, with what is known of it."""

    check: Check
    n: int
    spread: Spread | None = None
    because: str = UNKNOWN  # where nothing is

    @property
    def margin(self) -> float:
        """Points that may be lost; nothing of a score of nothing."""
        gate = self.check.gate
        if self.check.rule == "max_drop":
            return gate.max_drop or 0.0
        return (gate.max_relative_drop or 0.0) / 100 * max(0.0, self.spread.level if self.spread else 0.0)

    @property
    def chance(self) -> float | None:
        """That the innocent pass."""
        if self.spread is None:
            return None
        return stats.pass_chance(self.margin, self.spread.error * sqrt(self.spread.n / self.n))

    @property
    def needs(self) -> int | None:
        """Samples from which that chance is 80 %; None: no number suffices."""
        assert self.spread is not None
        return stats.samples_for_pass(self.margin, self.spread.error, self.spread.n)


def of_result(check: Check, result: Result, source: str) -> Spread | None:
    """What an earlier result says: of its comparison of the adapter with its base. A base alone has none."""
    (system,) = check.systems
    base = system.base
    levels = {
        one.system: one.value for one in result.scores if (one.task, one.metric) == (check.task, check.metric)
    }
    level = levels.get(base if check.gate.against in (None, rules.BASE) else system)
    for one in result.comparisons:
        asked = (one.task, one.metric, one.baseline, one.candidate)
        if asked == (check.task, check.metric, base, system) and level is not None:
            return _spread(one.detectable / stats.DETECTED, one.n, level, source)
    return None


def of_baseline(check: Check, baseline: Baseline) -> Spread | None:
    """What a baseline's rows say: of the adapter against its base, else of its score alone, twice and unpaired."""
    (system,) = check.systems
    own = baseline.systems.get((check.task or "", system))
    base = baseline.systems.get((check.task or "", system.base))
    if own is None or check.plugin is None or check.plugin not in own.rows or check.metric is None:
        return None
    metric = metrics.own(check.plugin)
    if metric is None or metric.value is None:
        return None
    sides = [own]
    if base and base is not own and check.plugin in base.rows and set(base.ids) == set(own.ids):
        sides.append(base)
    rows = np.stack([_ordered(one, own.ids, check.plugin) for one in sides], axis=1)
    table = stats.Table(rows=rows, value=metric.value, interval=metric.interval)
    name = metric.names.index(check.metric)
    level = float(table.scores()[0, name])
    if len(sides) == 2:
        return _spread(_error(table, name), len(own.ids), level, baseline.name)
    error = sqrt(2) * float(stats.resampled([table])[0][0, name].std(ddof=1))
    return _spread(error, len(own.ids), level, baseline.name, most=True)


def _error(table: stats.Table, name: int) -> float:
    """Standard error of the first system's score less the second's, as the interval has it that will judge it."""
    if table.interval == "wilson":
        own, base = table.rows[..., 0].T
        return stats.changed_interval(int((own > base).sum()), int((own < base).sum()), len(own))[2]
    own, base = stats.resampled([table])[0][:, name]
    return float((own - base).std(ddof=1))


def lines(outlooks: Sequence[Outlook]) -> Iterator[str]:
    """One for each gate, task and metric, the worst of its systems speaking for all."""
    groups: dict[tuple[str | None, ...], list[Outlook]] = {}
    for one in outlooks:
        check = one.check
        key = (rules.name(check.gate, check.rule), check.rule, check.task, check.metric, check.gate.against)
        groups.setdefault(key, []).append(one)
    for group in groups.values():
        known = [one for one in group if one.spread]
        yield _line(known, len(group) - len(known)) if known else _unknown(group)


def _spread(error: float, n: int, level: float, source: str, *, most: bool = False) -> Spread | None:
    """None where it says nothing: of too few samples, or of answers that are all the same."""
    if n < rules.FEWEST or error <= 0:
        return None
    return Spread(error=error, n=n, level=level, source=source, most=most)


def _ordered(kept: BaselineSystem, ids: Sequence[str], plugin: str) -> stats.Array:
    places = {one: place for place, one in enumerate(kept.ids)}
    return kept.rows[plugin][[places[one] for one in ids]]


def _line(known: Sequence[Outlook], unknown: int) -> str:
    """`max_drop 1.0 needs n ≥ 1,600 here: with n = 819 an adapter that lost nothing passes 70 times in 100 (…)`"""
    one = min(known, key=lambda each: each.chance or 0.0)
    spread, chance, rule = one.spread, one.chance, _gate(one.check)
    assert spread is not None and chance is not None
    error = words.number(spread.error * sqrt(spread.n / one.n), 2)
    facts = (
        _judged(one.check) + (f" and {words.plural(len(known) - 1, 'other')}" if len(known) > 1 else ""),
        f"SE {'at most ' if spread.most else ''}{error}, by {spread.source} with n = {spread.n:,}",
        f"{words.plural(unknown, 'other')} {UNKNOWN}" if unknown else "",
    )
    least = "at least " if spread.most else ""
    # Downwards: 79.9 % are not the 80 % that would do.
    said = f"with n = {one.n:,} an adapter that lost nothing passes {least}{int(100 * chance)} times in 100"
    told = f"{said} ({'; '.join(filter(None, facts))})"
    if chance >= verdicts.LIKELY:
        return f"{rule}: {told}"
    needs = one.needs
    if needs is None:
        return f"few samples: {rule} is too strict here: {told}"
    return f"few samples: {rule} needs n ≥ {needs:,} here{' at most' if spread.most else ''}: {told}"


def _unknown(group: Sequence[Outlook]) -> str:
    one = group[0]
    others = f" and {words.plural(len(group) - 1, 'other')}" if len(group) > 1 else ""
    whose = f"{_judged(one.check)}{others}"
    return f"{_gate(one.check)}: how often an adapter that lost nothing passes is {one.because} ({whose})"


def _gate(check: Check) -> str:
    return verdicts.name(rules.name(check.gate, check.rule))


def _judged(check: Check) -> str:
    """`llama2-tiny + quickstart on samsum, ROUGE-L`"""
    on = f" on {verdicts.name(check.task)}" if check.task else ""
    metric = f", {verdicts.name(words.metric(check.metric))}" if check.metric else ""
    return f"{verdicts.name(check.subject)}{on}{metric}"
