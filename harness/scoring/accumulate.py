"""Apply a metric to a task's answers one by one; only a row of numbers is kept of each answer."""

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.metrics import Metric
from harness.types import Generation, Sample


class Tally:
    """The rows of one metric so far; for a metric without rows, the answers themselves."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.samples = 0
        self._sums = array("d")
        self._kept: list[tuple[Sample, Generation]] = []
        self._cautions: Counter[str] = Counter()
        self._by_references: dict[int, Sample] = {}  # number of references -> a sample with that number

    def add(self, sample: Sample, generation: Generation) -> None:
        """Add the row of one answer."""
        self.samples += 1
        self._by_references.setdefault(len(sample.references), sample)
        for caution in self.metric.cautions:
            self._cautions[caution.said] += caution.holds(sample, generation)
        if self.metric.row is None:
            self._kept.append((sample, generation))
        else:
            self._sums.extend(self.metric.row(sample, generation))

    def add_rows(self, rows: NDArray[np.float64]) -> None:
        """Add rows that were made before, where the answers themselves are not at hand."""
        self.samples += len(rows)
        self._sums.extend(rows.ravel())

    def rows(self) -> NDArray[np.float64] | None:
        """Return the rows, [samples, k]; None for a metric without rows."""
        if self.metric.row is None:
            return None
        return np.frombuffer(self._sums, dtype=np.float64).reshape(self.samples, -1)

    def values(self) -> dict[str, float]:
        """Return the scores by name."""
        rows = self.rows()
        if rows is None or self.metric.formula is None:
            assert self.metric.corpus is not None
            samples, generations = zip(*self._kept, strict=True)
            return dict(self.metric.corpus(list(samples), list(generations)))
        scores = stats.whole(rows, self.metric.formula)
        return dict(zip(self.metric.names, map(float, scores), strict=True))

    def intervals(self, seed: int, clusters: Sequence[int] | None) -> dict[str, tuple[float, float]]:
        """Return 95 % intervals by the scores' names; none for a metric without rows.

        `clusters` holds a number for each sample, equal for those that are resampled together.
        """
        metric, rows = self.metric, self.rows()
        if rows is None or metric.formula is None:
            return {}
        if len(set(clusters or range(self.samples))) < 2:
            return {}  # a single sample, or cluster of samples, has no spread
        if metric.interval == "wilson" and clusters is None:
            hits, n = rows.sum(axis=0)
            return {metric.names[0]: stats.wilson(hits, n)}
        resampled = stats.bootstrap(rows, metric.formula, seed=seed, clusters=clusters)
        return self.intervals_of(resampled.T, clusters)

    def intervals_of(
        self,
        resampled: NDArray[np.float64],  # [names, resamples]
        clusters: Sequence[int] | None,
    ) -> dict[str, tuple[float, float]]:
        """Return 95 % intervals of resampled scores by name; none for a score of which nothing is known."""
        units = len(set(clusters)) if clusters else self.samples
        values = self.values()
        found = {
            name: stats.score_interval(values[name], drawn, units, self.metric.unit)
            for name, drawn in zip(self.metric.names, resampled, strict=True)
        }
        return {name: interval for name, interval in found.items() if interval is not None}

    def cautions(self) -> dict[str, int]:
        """Return what makes the scores doubtful, with the number of samples; empty where too few samples have it."""
        return {
            caution.said: count
            for caution in self.metric.cautions
            if (count := self._cautions[caution.said]) >= caution.least
        }

    def signature(self) -> str:
        """Return the metric's signature on the samples that were added."""
        return self.metric.signature_on(list(self._by_references.values()))
