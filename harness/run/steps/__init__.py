"""Define what a kind of step is. Each file of this folder is one: it reads records and writes records into its own folder.

`StepKind` lists what such a file declares. No step calls another: a step reads the finished folders of the steps that it
needs. The file that writes a step's records also reads them: `contributes` returns what a finished step adds to a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from harness import backends, plugins
from harness.backends import OpenBackend
from harness.checkpoints.locate import locate_adapter
from harness.digest import IF_SET
from harness.results import Curve, Halved
from harness.run.counting import LOADING, Count, uncounted
from harness.types import (
    Adapter,
    Calibration,
    Comparison,
    Cost,
    Model,
    ModelPin,
    Note,
    Outcome,
    RecipeScore,
    Runtime,
    Scaling,
    Score,
    Split,
    System,
    WeightRow,
)

ADAPTER = "adapter"  # folder of an adapter's files, which the step `train` leaves
ANSWERS = "generations.jsonl"  # of the steps `generate` and `score`, in data order
FIRST = 5  # sample ids that a note names
NO_END = "no end-of-sequence"  # kind of a note


class StepKind(Protocol):
    """What a file of this folder declares, besides the frozen record of its steps' settings, the spec."""

    @property
    def __name__(self) -> str: ...
    @property
    def VERSION(self) -> int:  # noqa: N802
        """Return the version, which is raised when the step's results change."""
        ...

    @property
    def LIBRARIES(self) -> tuple[str, ...]:  # noqa: N802
        """Return the import names of the packages whose versions can move a result."""
        ...

    @property
    def LANE(self) -> bool:  # noqa: N802
        """Return whether it runs in a worker, with the other steps of its base; else it runs in this process."""
        ...

    @property
    def TOLERANT(self) -> bool:  # noqa: N802
        """Return whether it runs even if steps that it needs have failed."""
        ...

    @property
    def FILES(self) -> tuple[str, ...]:  # noqa: N802
        """Return the names of the files and folders that it may leave in its folder."""
        ...

    def run(self, spec: Any, context: "StepContext") -> None:
        """Run a step: write its records into its folder."""
        ...

    def contributes(self, finished: "Finished") -> "Contribution":
        """Return what a finished step adds to a result."""
        ...


def find(kind: str) -> StepKind:
    """Return the kind of step of this name."""
    return cast(StepKind, plugins.find("steps", kind))


# What a step works with.


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedModel:
    """A base model as a step's spec names it: the model, and its pin, which says what the name meant at planning."""

    model: Model
    pin: ModelPin


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAdapter:
    """An adapter as a step's spec names it: an existing one, or else the adapter that the step's last need trained."""

    existing: Adapter | None = None
    revision: str | None = None


@dataclass(slots=True)
class ModelInMemory:
    """The base model that is in memory, for all steps of a lane; opening another model replaces it."""

    runtime: Runtime
    _used: UsedModel | None = None
    _backend: OpenBackend | None = None

    def has(self, used: UsedModel) -> bool:
        """Return whether the model is in memory."""
        return self._backend is not None and self._used == used

    def open(self, used: UsedModel) -> OpenBackend:
        """Return the model's open backend; load it if another model is in memory."""
        if self._backend is None or self._used != used:
            self.close()
            self._backend = backends.open_backend(used.model, used.pin, self.runtime)
            self._used = used
        return self._backend

    def close(self) -> None:
        """Release the model's memory."""
        if self._backend is not None:
            self._backend.close()
        self._backend = self._used = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a report says of the run itself."""

    command: str
    outcomes: Mapping[str, Outcome]
    # The finished tasks, which alone are shown while the run goes on; None: the run has ended.
    tasks: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step gets besides its spec: its folder, the folders that it needs, the runtime and the loaded model."""

    folder: Path  # the step's own, with the files that an interrupted try left
    needs: tuple[tuple[str, Path], ...]  # id and finished folder, in the order of the step's needs
    labels: tuple[tuple[str, str], ...] = ()  # kind and label of each need
    runtime: Runtime
    loaded: ModelInMemory
    shorter_runs: tuple[Path, ...] = ()  # folders of finished steps whose answers may be continued
    # A folder of findings about matrices, named by the matrices' bytes, kept between runs.
    spectra: Path | None = None
    run: RunRecord | None = None
    progress: Count = uncounted

    def need(self, position: int) -> Path:
        """Return the folder of the needed step at a position."""
        return self.needs[position][1]


def opened(used: UsedModel, context: StepContext, done: int = 0, total: int = 0) -> OpenBackend:
    """Return the model's open backend; while the model loads, the step's progress says so."""
    if not context.loaded.has(used):
        context.progress(done, total, LOADING)
    return context.loaded.open(used)


def model_folder(used: UsedModel, context: StepContext) -> Path:
    """Return the folder of the model's weights."""
    return backends.folder(used.model, used.pin, offline=context.runtime.offline)


def adapter_folder(used: UsedAdapter | None, context: StepContext) -> Path | None:
    """Return the folder with the adapter's files; None for the base itself."""
    if used is None:
        return None
    if used.existing is None:
        return context.need(-1) / ADAPTER
    return locate_adapter(used.existing, used.revision, offline=context.runtime.offline)


def split_file(folder: Path, split: Split) -> Path:
    """Return the file of a split's samples in the folder of a `load` step."""
    return folder / f"{split}.jsonl"


def answers_left(folder: Path) -> int | None:
    """Return how many answers an interrupted try left in its folder; None if the step does not answer prompts."""
    path = folder / ANSWERS
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(1 for _ in file)


# What is read of a finished step.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPart:
    """A step of a plan as its report knows it: its kind, its task, and the system that it is about."""

    kind: str
    task: str = ""
    system: System | None = None
    # The trivial rule that answers in place of a base without a trained head
    stand_in: str = field(default="", metadata=IF_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished step, from which its kind returns what it contributes to a result."""

    id: str
    part: PlanPart
    folder: Path
    record: Mapping[str, Any]  # written when it finished: seconds, peak_bytes, hardware, workers

    @property
    def system(self) -> System:
        """Return the system that the step is about; only for kinds of steps that have one."""
        assert self.part.system is not None
        return self.part.system

    @property
    def where(self) -> str:
        """Return the place that a note names: the step's task and system, as far as it has them."""
        return ", ".join(str(name) for name in (self.part.task, self.part.system) if name)

    def cost(self, quantity: str, unit: str, value: float, *, of_task: bool = True) -> Cost:
        """Return a measured quantity as a cost; with `of_task=False` it belongs to the system, whatever the task."""
        return Cost(
            step=self.id,
            system=self.system,
            task=(self.part.task or None) if of_task else None,
            quantity=quantity,
            unit=unit,
            value=value,
            hardware=self.record["hardware"],
            workers=self.record["workers"],
        )

    def peak_memory(self) -> Cost:
        """Return the peak memory of the process that ran the step."""
        return self.cost("peak memory", "MB", self.record["peak_bytes"] / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What a finished step adds to a result, besides the rows and texts that are read sample by sample."""

    scores: tuple[Score, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    recipes: tuple[RecipeScore, ...] = ()
    weights: tuple[WeightRow, ...] = ()
    costs: tuple[Cost, ...] = ()
    curves: tuple[Curve, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    halvings: tuple[Halved, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    notes: tuple[Note, ...] = ()
