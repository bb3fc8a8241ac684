"""The records of a comparison of two RESULTs or systems; `harness compare --json` writes their fields."""

from dataclasses import dataclass
from typing import Literal

from harness.types import Comparison, Share, System


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTexts:
    """The texts of a sample, and both answers to it."""

    input: str
    references: tuple[str, ...]
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChange:
    """A sample on which two systems score differently."""

    sample: str
    baseline: float  # score of this sample alone
    candidate: float
    texts: SampleTexts | None = None  # None: the RESULTs have none, or they may not leave the machine


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
    comparison: Comparison | None  # None: only the scores are known; a remark says why
    changes: tuple[SampleChange, ...] = ()  # the largest first

    @property
    def difference(self) -> float:
        """Return the candidate's score minus the baseline's."""
        return self.candidate_score - self.baseline_score

    @property
    def gain(self) -> float:
        """Return the difference, turned so that more than 0 means that the candidate does better."""
        return self.difference if self.better == "higher" else -self.difference

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Return the percentages of samples on which the candidate does better, the same and worse."""
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
    share: Share = "text"  # what may leave the machine of both sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The whole comparison of B with A."""

    a: str  # as it was given
    b: str
    named: bool  # systems of different names are compared; else each line has one name for both
    seed: int
    tasks: tuple[ComparedTask, ...]
    remarks: tuple[str, ...] = ()
