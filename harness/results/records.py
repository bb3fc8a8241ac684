"""The records of result.json: the only definition of a result.

From them follow the document (`results/plain.py`), its JSON schema (`results/schema.py`), what a copy that withholds
texts keeps (`results/redact.py`) and the tables that people get (`results/tables.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from harness.digest import IF_SET
from harness.results.document import SCHEMA
from harness.types import (
    FAMILY_ERROR,
    Answers,
    Calibration,
    Combination,
    Comparison,
    Cost,
    Gate,
    Note,
    Published,
    RecipeScore,
    Scaling,
    Score,
    Share,
    State,
    System,
    WeightRow,
)
from harness.types.fields import Aside, Count, IfSet, Kept, LeftOut, Sparse, Spread, Withheld
from harness.types.finding import REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """A task as it was asked."""

    name: Kept[str]
    about: Kept[str] = ""
    kind: Kept[str] = "generate"
    primary: Kept[str]  # the score that decides: "rougeL"
    metrics: Kept[tuple[str, ...]]  # plug-in names: "rouge", not "rougeL"
    prompt: Kept[str] = ""
    source: Kept[str] = ""
    licence: Kept[str | None] = None
    share: Kept[Share] = "scores"
    trivial: Kept[tuple[str, ...]] = ()
    cluster: Kept[str | None] = None  # the column whose equal values are resampled together
    shots: Kept[Count] = 0
    overflow: Kept[str] = ""
    decode: Kept[Mapping[str, object]] = field(default_factory=dict)
    allow_empty: Kept[bool] = False  # an empty answer may be right
    labels: Kept[IfSet[tuple[str, ...]]] = ()  # of a classification, in order
    settings: Kept[IfSet[Mapping[str, object]]] = field(default_factory=dict)  # of the kind
    system: Kept[IfSet[str]] = ""  # what models are told before the prompt
    # Family -> its own prompt and system text
    by_family: Kept[IfSet[Mapping[str, Mapping[str, str]]]] = field(default_factory=dict)
    published: Kept[IfSet[tuple[Published, ...]]] = ()  # by others, for the same data
    judge: Kept[IfSet[Mapping[str, object]]] = field(default_factory=dict)  # the model that judges answers
    samples: Kept[str] = ""  # digest of ids, inputs and references of the samples asked; "" in older results

    def for_family(self, family: str | None) -> "TaskFacts":
        """Return the task as models of a family were asked it."""
        own = self.by_family.get(family or "", {})
        return replace(
            self,
            prompt=own.get("prompt", self.prompt),
            system=own.get("system", self.system),
            by_family={},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A base model as it was loaded."""

    name: Kept[str]
    uri: Kept[str] = ""
    revision: Kept[str | None] = None
    family: Kept[str | None] = None
    parameters: Kept[Count | None] = None
    dtype: Kept[str | None] = None
    quantization: Kept[Literal["none", "int8", "nf4", "fp4"]] = "none"
    # Whether prompts go through the tokenizer's chat template
    chat: Kept[Literal["auto", "on", "off"]] = "auto"
    licence: Kept[str | None] = None  # as the model's card says
    stored: Kept[str | None] = (
        None  # how its file stores the weights, where they were dequantised to be loaded
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFacts:
    """An adapter under the label that its scores carry."""

    name: Kept[str]
    model: Kept[str]
    recipe: Kept[str | None] = None
    trained_on: Kept[str | None] = None
    seed: Kept[int | None] = None
    uri: Kept[str | None] = None
    # The adapter whose factors its training began with; None: it began at the base, or that is not known
    start: Kept[IfSet[str | None]] = field(default=None, metadata=IF_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """The suite as it was run."""

    name: Kept[str]
    about: Kept[str] = ""
    limit: Kept[Count | None] = None
    train_on: Kept[tuple[str, ...]] = ()
    base_shots: Kept[tuple[Count, ...]] = (0,)
    tasks: Kept[tuple[TaskFacts, ...]]
    models: Kept[tuple[ModelFacts, ...]]
    recipes: Kept[tuple[Mapping[str, object], ...]] = ()  # with all their settings
    adapters: Kept[tuple[AdapterFacts, ...]] = ()
    gates: Kept[Sparse[tuple[Gate, ...]]] = ()  # as in the suite; a rule that is not set is left out
    family_error: Kept[float] = FAMILY_ERROR
    forgetting: Kept[str | None] = None  # the task that says what adapters forgot


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line of a training log."""

    step: Kept[Count]
    loss: Kept[float | None]
    validation_loss: Kept[float | None] = None
    learning_rate: Kept[float | None] = None
    validation_score: Kept[float | None] = None  # of the score that chose the checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The losses of an adapter's training."""

    model: Kept[str]
    adapter: Kept[str]
    points: Kept[tuple[Point, ...]]
    chosen_by: Kept[str | None] = (
        None  # the score on validation samples that chose the checkpoint; None: their loss
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Halved:
    """The combinations of a sweep with halving, which one adapter is left of."""

    model: Kept[str]
    adapter: Kept[str]
    combinations: Kept[tuple[Combination, ...]]  # in the order of the grid
    chosen_by: Kept[str | None] = None  # the score on validation samples that compared them; None: their loss

    @property
    def winner(self) -> Combination | None:
        """Return the combination that is the adapter; a RESULT that was changed by hand may lack it."""
        return next((combination for combination in self.combinations if combination.kept), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One step of the plan and how it ended."""

    id: Kept[str]
    kind: Kept[str]
    label: Kept[str] = ""
    state: Kept[State]
    seconds: Kept[float] = 0.0
    reason: Annotated[str, Withheld(where=("state", "failed"), instead=REASON)] = ""
    log: Annotated[str, Withheld(where=("state", "failed"))] = ""
    task: Kept[str] = ""
    # None: the step was of no system, or the result is an older one
    system: Kept[Spread[System | None]] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescoring:
    """What `harness rescore` added after the run, from the answers that the run kept."""

    created: Kept[str] = ""  # ISO 8601, UTC
    harness: Kept[str] = ""
    metrics: Kept[Mapping[str, tuple[str, ...]]]  # task -> plug-ins


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """A file of another program that answers were imported from."""

    program: Kept[str]  # with its version: "lm-eval 0.4.13"
    name: Kept[str]  # without its folder
    digest: Kept[str]  # SHA-256
    created: Kept[str] = ""  # as the program says


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The manifest of a result: versions, machine, settings. A fact that an older result lacks is empty."""

    harness: Kept[str] = ""
    created: Kept[str] = ""  # ISO 8601, UTC
    command: Kept[str] = ""
    python: Kept[str] = ""
    platform: Kept[str] = ""
    hardware: Kept[Mapping[str, object]] = field(default_factory=dict)
    device: Kept[str] = ""
    libraries: Kept[Mapping[str, str]] = field(default_factory=dict)  # distribution -> version
    runtime: Kept[Mapping[str, object]] = field(default_factory=dict)
    seed: Kept[Count | None] = None  # of training and resampling
    sources: Kept[Mapping[str, str]] = field(default_factory=dict)  # task -> revision or digest of its data
    models: Kept[Mapping[str, str]] = field(default_factory=dict)  # model -> revision
    commit: Kept[IfSet[str]] = ""  # of the project's Git repository
    shareable: Kept[IfSet[bool]] = False  # a copy without the texts of tasks that share scores alone
    rescored: Kept[IfSet[tuple[Rescoring, ...]]] = ()
    imported: Kept[IfSet[tuple[ImportedFile, ...]]] = ()  # what `harness import` read
    # Metrics that are files, by their names: where each lay, for `--allow-code`
    scripts: LeftOut[IfSet[Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a run found, except answers (generations.jsonl.gz), samples and rows of sums (rows.parquet).

    Scores and their differences are on 0 to 100 unless the unit says otherwise; times in seconds.
    """

    folder: Aside[Path]
    schema: Kept[int] = SCHEMA
    suite: Kept[SuiteFacts]
    scores: Kept[tuple[Score, ...]]
    comparisons: Kept[tuple[Comparison, ...]]
    answers: Kept[tuple[Answers, ...]] = ()
    recipes: Kept[tuple[RecipeScore, ...]] = ()  # over two seeds or more, on the task's primary metric
    weights: Kept[tuple[WeightRow, ...]] = ()
    costs: Kept[tuple[Cost, ...]] = ()
    curves: Kept[tuple[Curve, ...]] = ()
    calibrations: Kept[IfSet[tuple[Calibration, ...]]] = ()  # of judges, by the systems that were labelled
    scalings: Kept[IfSet[tuple[Scaling, ...]]] = ()  # adapters at several scales of their updates
    halvings: Kept[IfSet[tuple[Halved, ...]]] = ()  # a record for each adapter of a sweep with halving
    notes: Kept[tuple[Note, ...]] = ()
    steps: Kept[tuple[StepFacts, ...]] = ()
    manifest: Kept[RunFacts] = RunFacts()
    # Bytes that each compressed file beside this one holds
    sizes: LeftOut[IfSet[Mapping[str, int]]] = field(default_factory=dict)
    # SHA-256 of each file beside this one
    files: LeftOut[IfSet[Mapping[str, str]]] = field(default_factory=dict)
    digest: LeftOut[IfSet[str]] = ""  # of everything here but itself

    @property
    def withheld(self) -> tuple[str, ...]:
        """Return the tasks whose texts this copy withholds; empty for a RESULT that is not such a copy."""
        return tuple(
            task.name for task in self.suite.tasks if self.manifest.shareable and task.share != "text"
        )

    @property
    def seed(self) -> int:
        """Return the seed of resampling; 0 if the result does not record it."""
        return self.manifest.seed or 0

    def task(self, name: str) -> TaskFacts:
        """Return the task of this name; KeyError if there is none."""
        for task in self.suite.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def model(self, name: str) -> ModelFacts | None:
        """Return the base model of this name; None if there is none, as for a trivial rule."""
        return next((model for model in self.suite.models if model.name == name), None)

    def recipe(self, adapter: AdapterFacts) -> Mapping[str, object]:
        """Return the settings that an adapter was trained with; empty if the suite did not train it.

        Of a sweep with halving, they are those of the combination that was kept.
        """
        known = next((recipe for recipe in self.suite.recipes if recipe.get("name") == adapter.recipe), {})
        halved = self.halved(System(model=adapter.model, adapter=adapter.name))
        winner = halved.winner if halved else None
        return {**known, **winner.settings} if winner else known

    def halved(self, system: System) -> Halved | None:
        """Return the combinations that a system's adapter is left of; None without halving."""
        return next(
            (
                halved
                for halved in self.halvings
                if (halved.model, halved.adapter) == (system.model, system.adapter)
            ),
            None,
        )

    def adapter(self, system: System) -> AdapterFacts | None:
        """Return the system's adapter; None for a base, or if the suite does not list it."""
        return next(
            (
                adapter
                for adapter in self.suite.adapters
                if (adapter.model, adapter.name) == (system.model, system.adapter)
            ),
            None,
        )
