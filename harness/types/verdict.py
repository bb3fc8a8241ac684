"""Define the records of gates' verdicts on a result."""

from dataclasses import dataclass
from typing import Literal

from harness.types.sample import System

LIKELY = 0.8  # pass probability that an adapter whose scores did not drop should have

Word = Literal["pass", "fail", "inconclusive", "invalid"]

WORST_FIRST: tuple[Word, ...] = ("fail", "invalid", "inconclusive", "pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict of one rule of a gate on one system and one task."""

    gate: str  # its name, or the rule in words: "max_drop 1.0"
    rule: str  # the gate's field: "max_drop"
    verdict: Word
    because: str  # a sentence with the numbers
    subject: str  # the judged system, or recipe: "llama2-tiny + quickstart"
    task: str | None = None  # None: the verdict is on the adapter, whatever the task
    system: System | None = None  # None: a recipe, or a gate whose patterns match no system
    metric: str | None = None
    slice: str | None = None  # "category = reasoning"
    shared_slice: str | None = (
        None  # the slice as others may see it: "category = value 1 of 3"; None: as it is
    )
    against: str | None = None  # "base", or a baseline's file
    value: float | None = None  # the measured number: a difference, a score, a count, a cost
    low: float | None = None  # 95 %
    high: float | None = None
    limit: str | None = None  # the rule's limit in words: "1.0", "2 samples", "2 to 6"
    n: int | None = None
    needed: int | None = None  # samples that would probably decide an inconclusive verdict
    # 0 to 1: how often an adapter that is exactly as good as its baseline passes at this n
    pass_probability_if_equal: float | None = None
    samples_for_80_percent: int | None = None  # samples from which that probability is 80 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A sample whose score fell, for people who want to see what got worse."""

    task: str
    system: System
    against: str  # "base", or a baseline's file
    metric: str
    sample_id: str
    before: float  # the metric on this sample alone
    after: float
    prompt: str | None = None  # texts only if the source's `share` allows them
    reference: str | None = None
    answer_before: str | None = None
    answer_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Every verdict on one result."""

    name: str  # the suite's
    verdicts: tuple[Verdict, ...]
    regressions: tuple[Regression, ...] = ()  # worst first
    remarks: tuple[str, ...] = ()  # "baseline made with torch 2.13.0, here 2.14.0"
    family_error: float = 0.05

    @property
    def passed(self) -> bool:
        """Return whether there are gates and all of them passed."""
        return bool(self.verdicts) and all(verdict.verdict == "pass" for verdict in self.verdicts)
