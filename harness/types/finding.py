"""What a run finds: scores, comparisons, costs, weights and notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.types.sample import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number for one system on one task."""

    task: str
    system: System
    metric: str
    primary: bool
    signature: str
    unit: str
    better: Literal["higher", "lower"]
    value: float
    low: float | None  # 95 % bootstrap interval; None where the metric is no function of sums
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One paired difference: candidate minus baseline, on the same samples."""

    task: str
    metric: str
    baseline: System
    candidate: System
    difference: float
    low: float  # 95 % paired bootstrap interval
    high: float
    p: float  # approximate randomisation, two-sided
    p_holm: float | None  # None: exploratory, outside every family
    family: str | None
    test: str
    detectable: float  # smallest difference found with 80 % power at this n
    n: int
    better: int | None = None  # samples on which the candidate does better by itself; None in older results
    worse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeScore:
    """A recipe over its seeds: what its adapters score on the mean, and how far that is from their base."""

    task: str
    model: str
    recipe: str
    trained_on: str | None
    metric: str
    seeds: tuple[int, ...]
    value: float  # mean over seeds
    low: float | None  # 95 %; None where two seeds say too little
    high: float | None
    difference: float | None  # to the base, None where it was not asked
    difference_low: float | None
    difference_high: float | None
    method: str  # how the intervals were made, in words
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one system was asked and answered, by digests: equal ones were asked alike, or answered alike."""

    task: str
    system: System
    prompts: str  # of all prompts as they were written, in order; empty for a trivial rule
    texts: str  # of all answers
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One measured quantity; never resampled."""

    step: str
    system: System
    task: str | None
    quantity: str  # "train", "generate", "peak memory", "adapter size", "trainable parameters"
    unit: str
    value: float
    hardware: str
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """A histogram of log10 λ in bins of equal width; eigenvalues under the first edge are left out."""

    low: float  # the first edge
    high: float  # the last
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRow:
    """What the spectrum of one matrix says; a layer without numbers says why."""

    model: str
    adapter: str | None
    part: Literal["W", "delta", "merged"]
    layer: str
    role: str
    status: str  # "analysed" | "tied to X" | "too few eigenvalues" | "failed: …" | "zero"
    rows: int
    cols: int
    eigenvalues: int
    numbers: Mapping[str, float]  # alpha, lambda_max, … under WeightWatcher's names
    density: Density | None = None  # of the eigenvalues, where there are enough for a power law
    quantised: str | None = None  # what the base's numbers were before they were floats again: "int8", "nf4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that went other than planned: nothing is dropped silently."""

    kind: str  # "truncated", "empty", "cut short", "inert", "overlap", "layer skipped", "step failed"
    where: str
    count: int
    of: int
    detail: str = ""
    samples: tuple[str, ...] = ()  # ids, the first few
