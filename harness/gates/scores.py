"""The records of a system's scores that a rule judges: paired rows, and the numbers that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness.errors import ResultError
from harness.gates import decide
from harness.gates.decide import Finding
from harness.results.judged import Errors
from harness.types import System

BOTH_ERRORS = "normal, the judge's errors counted"
Side = tuple[str, System]  # "" for the result, or a baseline's file; and who answered
Claim = tuple[Side, Side]  # what is to have been beaten, and who claims it


@dataclass(frozen=True, kw_only=True)
class PairedRows:
    """The rows of all sides on one task under one metric plug-in over one slice: one draw serves them all."""

    metric: metrics.Metric
    places: Mapping[Side, int]
    ids: tuple[str, ...]
    table: stats.Table
    clusters: list[int] | None
    seed: int
    claims: tuple[Claim, ...] = ()
    # Of a metric that judges: how it errs on the answers of each side
    errors: Mapping[Side, Errors] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Return the number of samples."""
        return len(self.ids)

    @property
    def units(self) -> int:
        """Return the number of units that are resampled: samples, or clusters of samples."""
        return self.n if self.clusters is None else len(set(self.clusters))

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Return all scores, [sides, names]."""
        return self.table.scores()

    @cached_property
    def drawn(self) -> NDArray[np.float64]:
        """Return all resampled scores, [sides, names, resamples]."""
        return stats.resampled([self.table], seed=self.seed, clusters=self.clusters)[0]

    @cached_property
    def chances(self) -> tuple[dict[Claim, NDArray[np.float64]], str]:
        """Return the p of each claim, by names, and the test in words."""
        pairs = [(self.places[theirs], self.places[mine]) for theirs, mine in self.claims]
        p, test = stats.chance(
            self.table, pairs, resamples=stats.RESAMPLES, seed=self.seed, clusters=self.clusters
        )
        return dict(zip(self.claims, p, strict=True)), test

    @cached_property
    def by_sample(self) -> NDArray[np.float64]:
        """Return the scores of each sample by itself, [n, sides, names]."""
        return self.table.of_samples()


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainNumber:
    """A score or a difference with its uncertainty, turned so that larger is better."""

    value: float
    n: int
    drawn: NDArray[np.float64] | None = None  # resampled values; None: only the ends are known
    ends: tuple[float, float] | None = None  # 95 %; None: those of the resampled values
    method: str = ""  # how the interval was made, where a verdict should say it

    def at_least(self, limit: float) -> Finding:
        """Return the finding whether the truth lies at or above the limit."""
        if self.ends is not None:
            finding = decide.between(self.value, *self.ends, -limit, self.n)
        else:
            assert self.drawn is not None
            finding = decide.above(self.value, self.drawn, -limit, self.n)
        return replace(finding, note=self.method)


@dataclass(frozen=True, kw_only=True)
class JudgedScores:
    """The scores of one system, or of a recipe over its seeds, alone and against what it is compared with."""

    rows: PairedRows
    metric: str
    own: tuple[Side, ...]  # who is judged: a single system, or a recipe's seeds
    other: tuple[Side, ...]  # what each is compared with; empty for a score alone
    against: str | None  # name of what it is compared with
    of_recipe: bool = False

    @property
    def n(self) -> int:
        """Return the number of samples."""
        return self.rows.n

    @property
    def sign(self) -> float:
        """Return 1 if a larger score is better, else −1."""
        return 1.0 if self.rows.metric.better == "higher" else -1.0

    @property
    def column(self) -> int:
        """Return the metric's place among the scores."""
        return self.rows.metric.names.index(self.metric)

    @property
    def hits(self) -> tuple[int, int] | None:
        """Return hits and samples if the score is a share of hits judged by Wilson's interval; else None."""
        if self.of_recipe or self.rows.errors or not self._wilson:
            return None
        hits, total = self.rows.table.rows[:, self._mine].sum(axis=0)
        return int(hits), int(total)

    @property
    def score(self) -> UncertainNumber:
        """Return the score, turned so that larger is better."""
        if self.rows.errors:
            return self._corrected(self._rate(self.own[0]))
        if self.of_recipe:
            return self._over_seeds(self._over.score)
        value, drawn = self._score(self._mine), self._drawn(self._mine)
        flat = np.ptp(drawn) <= stats.TIE
        ends = stats.score_interval(value, drawn, self.rows.units, self.rows.metric.unit) if flat else None
        return UncertainNumber(
            value=self.sign * value, n=self.n, drawn=self.sign * drawn, ends=self._turned(ends)
        )

    @property
    def before(self) -> float:
        """Return the score of what it is compared with, not turned."""
        if self.rows.errors:
            return self._rate(self.other[0]).value
        return self._score(self._theirs)

    @property
    def before_drawn(self) -> NDArray[np.float64] | None:
        """Return resampled values of that score; None for a recipe, whose resamples are not kept."""
        self._refuse_judged()
        return None if self.of_recipe else self._drawn(self._theirs)

    @property
    def difference(self) -> UncertainNumber:
        """Return by how much it is better than what it is compared with."""
        if self.rows.errors:
            return self._corrected(self._change)
        if self.of_recipe:
            assert self._over.difference is not None
            return self._over_seeds(self._over.difference)
        value = self.sign * (self._score(self._mine) - self._score(self._theirs))
        drawn = self.sign * (self._drawn(self._mine) - self._drawn(self._theirs))
        return UncertainNumber(value=value, n=self.n, drawn=drawn, ends=self._ends_of_hits())

    @property
    def changes(self) -> NDArray[np.float64]:
        """Return by how much it is better on each sample by itself; NaN for a sample without a score of its own."""
        self._refuse_judged()
        alone = self.rows.by_sample
        change: NDArray[np.float64] = self.sign * (
            alone[:, self._mine, self.column] - alone[:, self._theirs, self.column]
        )
        return change

    @property
    def p_if_equal(self) -> tuple[float, str] | None:
        """Return the p of a claim, and the test in words; None for a recipe, which has only an interval."""
        if self.of_recipe:
            return None
        if self.rows.errors:
            assert self._change.p is not None
            return self._change.p, BOTH_ERRORS
        p, test = self.rows.chances
        return float(p[self.other[0], self.own[0]][self.column]), test

    @cached_property
    def _change(self) -> stats.Corrected:
        """Return the difference of two corrected shares."""
        mine, theirs = self._errors(self.own[0]), self._errors(self.other[0])
        assert mine.known and theirs.known  # a side whose errors are not known has no rows
        return stats.corrected_difference(
            self._judged(self._theirs),
            self._judged(self._mine),
            theirs.known,
            mine.known,
            same=mine.source == theirs.source,
        )

    def _rate(self, side: Side) -> stats.Corrected:
        """Return a corrected share."""
        errors = self._errors(side)
        assert errors.known
        return stats.corrected(self._judged(self.rows.places[side]), errors.known)

    def _judged(self, place: int) -> NDArray[np.float64]:
        return self.rows.table.rows[:, place, 0]

    def _errors(self, side: Side) -> Errors:
        if self.of_recipe:
            raise ResultError("a judge's share is corrected system by system; name adapters, not a recipe")
        return self.rows.errors[side]

    def _corrected(self, found: stats.Corrected) -> UncertainNumber:
        return UncertainNumber(
            value=self.sign * found.value,
            n=self.n,
            ends=self._turned((found.low, found.high)),
            method="corrected for the judge's errors, which the interval counts",
        )

    def _refuse_judged(self) -> None:
        """Raise a ResultError for a metric that judges: of a single answer nothing is known but what the judge said."""
        if self.rows.errors:
            raise ResultError(
                f"{self.metric} is what a judge found: min_value, max_drop and must_beat judge the corrected share; this "
                "rule needs single answers"
            )

    def _turned(self, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return the ends of an interval, turned so that larger is better."""
        return ends if ends is None or self.sign > 0 else (-ends[1], -ends[0])

    @property
    def _mine(self) -> int:
        return self.rows.places[self.own[0]]

    @property
    def _theirs(self) -> int:
        return self.rows.places[self.other[0]]

    @property
    def _wilson(self) -> bool:
        return self.rows.metric.interval == "wilson" and self.rows.clusters is None

    def _score(self, place: int) -> float:
        return float(self.rows.scores[place, self.column])

    def _drawn(self, place: int) -> NDArray[np.float64]:
        return np.asarray(self.rows.drawn[place, self.column])

    def _ends_of_hits(self) -> tuple[float, float] | None:
        """Return the interval of a difference of hits; None if it is to be resampled."""
        if not self._wilson:
            return None
        change = self.changes
        low, high, _ = stats.changed_interval(int((change > 0).sum()), int((change < 0).sum()), self.n)
        return low, high

    @cached_property
    def _over(self) -> stats.OverSeeds:
        table = self.rows.table.rows
        return stats.over_seeds(
            [table[:, self.rows.places[side]] for side in self.own],
            table[:, self._theirs] if self.other else None,
            self.rows.table.value,
            seed=self.rows.seed,
            clusters=self.rows.clusters,
        )

    def _over_seeds(self, estimate: stats.Estimate) -> UncertainNumber:
        assert estimate.low is not None and estimate.high is not None
        low, high = (float(ends[self.column]) for ends in (estimate.low, estimate.high))
        return UncertainNumber(
            value=self.sign * float(estimate.value[self.column]),
            n=self.n,
            ends=self._turned((low, high)),
            method=self._over.method,
        )
