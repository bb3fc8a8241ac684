"""The records of two RESULTs, or of two systems, side by side; `harness compare --json` writes their fields."""

from dataclasses import dataclass
from typing import Literal

from harness.types import Comparison, System


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTexts:
    """What a sample asks, and what both answered."""

    input: str
    references: tuple[str, ...]
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChange:
    """A sample that two systems do not score the same on, each by that sample alone."""

    sample: str
    baseline: float
    candidate: float
    texts: SampleTexts | None = None  # only where the task's source lets text be shared


@dataclass(frozen=True, slots=True, kw_only=True)
class PairUnderMetric:
    """Two systems under one metric."""

    metric: str
    signature: str
    unit: str
    better: Literal["higher", "lower"]
    baseline: System
    candidate: System
    baseline_score: float  # on the samples that both answered
    candidate_score: float
    n: int
    comparison: Comparison | None  # None: there are the scores alone; a remark says why
    changes: tuple[SampleChange, ...] = ()  # the largest first

    @property
    def difference(self) -> float:
        return self.candidate_score - self.baseline_score

    @property
    def gain(self) -> float:
        """More than 0 where the candidate does better."""
        return self.difference if self.better == "higher" else -self.difference

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Percent of the samples on which the candidate does better, the same and worse by itself."""
        comparison = self.comparison
        if comparison is None or comparison.better is None or comparison.worse is None:
            return None
        better, worse = 100 * comparison.better / comparison.n, 100 * comparison.worse / comparison.n
        return better, 100 - better - worse, worse


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTask:
    """All pairs on one task."""

    name: str
    primary: str
    lines: tuple[PairUnderMetric, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """B against A."""

    a: str  # as they were given
    b: str
    named: bool  # two systems of different names; else every line has a system of both
    seed: int
    tasks: tuple[ComparedTask, ...]
    remarks: tuple[str, ...] = ()
