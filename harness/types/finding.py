"""Define the records of a run's findings: scores, comparisons, costs, weights and notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from harness.types.fields import Count, Kept, Probability, Range, Size, Spread, Withheld
from harness.types.sample import System

REASON = "withheld, since it may quote samples; the RESULT that this is a copy of says it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score of one system on one task."""

    task: Kept[str]
    system: Kept[Spread[System]]
    metric: Kept[str]
    primary: Kept[bool]
    signature: Kept[str]
    unit: Kept[str]
    better: Kept[Literal["higher", "lower"]]
    value: Kept[float]
    low: Kept[float | None]  # 95 % bootstrap interval; None where the metric has no rows
    high: Kept[float | None]
    n: Kept[Size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired difference between two systems: candidate minus baseline, on the same samples."""

    task: Kept[str]
    metric: Kept[str]
    baseline: Kept[System]
    candidate: Kept[System]
    difference: Kept[float]
    low: Kept[float]  # 95 % paired bootstrap interval
    high: Kept[float]
    p: Kept[Probability]  # approximate randomisation, two-sided
    p_holm: Kept[Probability | None]  # None: exploratory, outside every family
    family: Kept[str | None]
    test: Kept[str]
    detectable: Kept[Annotated[float, Range(0)]]  # smallest difference found with 80 % power at this n
    n: Kept[Size]
    # Samples on which the candidate's own score is better; None in older results.
    better: Kept[Count | None] = None
    worse: Kept[Count | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeScore:
    """The mean score of a recipe's adapters over their seeds, and its difference to their base."""

    task: Kept[str]
    model: Kept[str]
    recipe: Kept[str]
    trained_on: Kept[str | None]
    metric: Kept[str]
    seeds: Kept[tuple[int, ...]]
    value: Kept[float]  # mean over seeds
    low: Kept[float | None]  # 95 %; None for too few seeds
    high: Kept[float | None]
    difference: Kept[float | None]  # to the base; None if the base was not asked
    difference_low: Kept[float | None]
    difference_high: Kept[float | None]
    method: Kept[str]  # how the intervals were made, in words
    n: Kept[Size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How a judge erred on labelled answers of one system."""

    task: Kept[str]
    metric: Kept[str]  # with settings: the metric that judges
    finds: Kept[str]  # what it looks for, in plural: "refusals"
    system: Kept[str]  # whose answers they are, as their file says; "": it does not say
    positives: Kept[Count]  # answers that have it
    found: Kept[float]  # what the judge gave these, summed
    negatives: Kept[Count]  # answers that do not have it
    mistaken: Kept[float]  # what the judge gave these, summed
    outside: Kept[Count] = 0  # answers to which it gave none of its options


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The scores of an adapter whose update is so many times as large, on validation samples."""

    scale: Kept[float]
    value: Kept[float]
    low: Kept[float | None]  # 95 %
    high: Kept[float | None]
    lost: Kept[float | None] = (
        None  # on other text, against the base: in the text's score; None: no text is named
    )
    lost_low: Kept[float | None] = None
    lost_high: Kept[float | None] = None
    n: Kept[Count] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """An adapter at several scales of its update, on validation samples: 0 is its base, 1 the adapter itself."""

    model: Kept[str]
    adapter: Kept[str]
    task: Kept[str]  # that it was trained on
    score: Kept[str]
    better: Kept[Literal["higher", "lower"]]
    text: Kept[str] = ""  # the task that says what was forgotten
    points: Kept[tuple[Scale, ...]]  # in ascending order
    best: Kept[float]  # the scale with the best score
    change: Kept[float]  # of the score there, against the whole update
    change_low: Kept[float]  # 95 %, paired
    change_high: Kept[float]
    p: Kept[Probability]  # two-sided, uncorrected: the best of several scales looks better than it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Digests of one system's prompts and answers: equal digests mean equal prompts, or equal answers."""

    task: Kept[str]
    system: Kept[Spread[System]]
    prompts: Kept[str]  # of all prompts as they were written, in order; empty for a trivial rule
    texts: Kept[str]  # of all answers
    n: Kept[Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A measured quantity, which is never resampled."""

    step: Kept[str]
    system: Kept[Spread[System]]
    task: Kept[str | None]
    quantity: Kept[str]  # "train", "generate", "peak memory", "adapter size", "trainable parameters"
    unit: Kept[str]
    value: Kept[float]
    hardware: Kept[str]
    workers: Kept[Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a server counted while it was asked, and what that costs."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0  # answered ones
    uncounted: int = 0  # of these, answers without a count of tokens
    money: float | None = None  # None: the suite names no prices
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """A histogram of log10 λ in bins of equal width; eigenvalues under the first edge are left out."""

    low: Kept[float]  # the first edge
    high: Kept[float]  # the last
    counts: Kept[tuple[Count, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRow:
    """The numbers of one matrix's spectrum; a layer without numbers has the reason as its status."""

    model: Kept[str]
    adapter: Kept[str | None]
    part: Kept[Literal["W", "delta", "merged"]]
    layer: Kept[str]
    role: Kept[str]
    status: Kept[str]  # "analysed" | "tied to X" | "too few eigenvalues" | "failed: …" | "zero"
    rows: Kept[Count]
    cols: Kept[Count]
    eigenvalues: Kept[Count]
    numbers: Kept[Spread[Mapping[str, float]]]  # alpha, lambda_max, … under WeightWatcher's names
    density: Kept[Density | None] = None  # of the eigenvalues, where there are enough for a power law
    # How the base's numbers were stored before they were turned into floats: "int8", "nf4".
    quantised: Kept[str | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark on something that went other than planned, so that it is not dropped silently."""

    kind: Kept[str]  # "truncated", "empty", "cut short", "inert", "overlap", "layer skipped", "step failed"
    where: Kept[str]
    count: Kept[Count]
    of: Kept[Count]
    detail: Annotated[str, Withheld(where=("kind", "step failed"), instead=REASON)] = ""
    samples: Kept[tuple[str, ...]] = ()  # ids, the first few


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One combination of a sweep with halving: how far it trained, and what the validation samples said of it."""

    name: Kept[str]  # r4-lr0.001
    settings: Kept[Mapping[str, float]]  # key of the recipe -> its value
    steps: Kept[Count]  # of the optimiser, that it took
    rung: Kept[
        Count
    ]  # the last rung that it came to, counted from 1; of one that diverged, the rung that it missed
    place: Kept[Count | None] = None  # at this rung, the best is 1; None: it diverged
    compared: Kept[Count] = 0  # combinations that were compared at this rung; 0: it diverged
    kept: Kept[bool] = False  # it is the adapter
    best_step: Kept[Count | None] = None  # at which it was measured best
    validation_loss: Kept[float | None] = None  # at that step
    validation_score: Kept[float | None] = None  # of the score that chooses, at that step
    diverged: Kept[str] = ""  # what was NaN or infinite, and at which step
    measurements: Kept[tuple[tuple[int, float], ...]] = ()  # step and loss, or the score that chooses
