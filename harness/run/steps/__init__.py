"""Steps: each file here is a kind of step, which reads records, calls one craft and writes records into its own folder.

`StepKind` says what such a file declares. No step calls another: what one needs of another lies in the other's finished
folder. Who writes a file also reads it: `contributes` returns what a finished step adds to a result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from harness import backends, plugins
from harness.backends import OpenBackend
from harness.checkpoints.locate import locate_adapter
from harness.results import Curve
from harness.types import (
    Adapter,
    Comparison,
    Cost,
    Model,
    ModelPin,
    Note,
    Outcome,
    RecipeScore,
    Runtime,
    Score,
    Split,
    System,
    WeightRow,
)

ADAPTER = "adapter"  # folder of an adapter's files, which the step `train` leaves
ANSWERS = "generations.jsonl"  # of the steps `generate` and `score`, in data order
FIRST = 5  # sample ids that a note names


class StepKind(Protocol):
    """What a file of this folder declares, beside the frozen record that is its spec."""

    @property
    def __name__(self) -> str: ...
    @property
    def VERSION(self) -> int:  # noqa: N802
        """Raised when the step's results change."""
        ...

    @property
    def LIBRARIES(self) -> tuple[str, ...]:  # noqa: N802
        """Import names of the packages whose versions can move a result."""
        ...

    @property
    def LANE(self) -> bool:  # noqa: N802
        """Whether it runs in a worker, beside the other steps of its base; else it is light and runs in this process."""
        ...

    @property
    def TOLERANT(self) -> bool:  # noqa: N802
        """Whether it runs over what there is, where a step that it needs has failed."""
        ...

    @property
    def FILES(self) -> tuple[str, ...]:  # noqa: N802
        """Names of the files and folders that it may leave in its folder."""
        ...

    def run(self, spec: Any, context: "StepContext") -> None: ...
    def contributes(self, finished: "Finished") -> "Contribution": ...


def find(kind: str) -> StepKind:
    """Return the kind of step of this name."""
    return cast(StepKind, plugins.find("steps", kind))


# What a step works with.


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedModel:
    """A base model as a step's spec names it: what it is, and what that meant when the plan was made."""

    model: Model
    pin: ModelPin


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAdapter:
    """An adapter as a step's spec names it: an existing one, or the one its last need trained."""

    existing: Adapter | None = None
    revision: str | None = None


@dataclass(slots=True)
class ModelInMemory:
    """The base model that is in memory, for all steps of a lane; another model takes its place."""

    runtime: Runtime
    _used: UsedModel | None = None
    _backend: OpenBackend | None = None

    def open(self, used: UsedModel) -> OpenBackend:
        """Return the model's backend, loaded if another model was in memory."""
        if self._backend is None or self._used != used:
            self.close()
            self._backend = backends.open_backend(used.model, used.pin, self.runtime)
            self._used = used
        return self._backend

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
        self._backend = self._used = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a report tells of the run itself."""

    command: str
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a step gets beside its spec: its folder, the folders that it needs, the runtime and the loaded model."""

    folder: Path  # the step's own; what an interrupted try left is still there
    needs: tuple[tuple[str, Path], ...]  # id and finished folder, in the order of the step's needs
    labels: tuple[tuple[str, str], ...] = ()  # kind and label of each need
    runtime: Runtime
    loaded: ModelInMemory
    shorter_runs: tuple[Path, ...] = ()  # finished steps whose answers may be continued
    spectra: Path | None = None  # a folder of what is known of matrices by their bytes, kept between runs
    run: RunRecord | None = None
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)

    def need(self, position: int) -> Path:
        """Return the folder of the need at a position."""
        return self.needs[position][1]


def model_folder(used: UsedModel, context: StepContext) -> Path:
    """Return where the model's weights are."""
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
    """Return how many answers an interrupted try left in its folder; None if it was of a step that answers nothing."""
    path = folder / ANSWERS
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(1 for _ in file)


# What a finished step is asked for.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPart:
    """A step of a plan as its report knows it: its kind, its task, and the system that it is about."""

    kind: str
    task: str = ""
    system: System | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished step, whose kind is asked what it contributes."""

    id: str
    part: PlanPart
    folder: Path
    record: Mapping[str, Any]  # what was written when it finished: seconds, peak_bytes, hardware, workers

    @property
    def system(self) -> System:
        """Return whose step it is; only for kinds of steps that are somebody's."""
        assert self.part.system is not None
        return self.part.system

    @property
    def where(self) -> str:
        """Return the place of a note: the task and the system, or the one of them that the step has."""
        return ", ".join(str(name) for name in (self.part.task, self.part.system) if name)

    def cost(self, quantity: str, unit: str, value: float, *, of_task: bool = True) -> Cost:
        """Return a quantity as it was measured; `of_task=False`: of the system, whatever the task."""
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
    """What one finished step adds to a result, beside the rows and texts that are read sample by sample."""

    scores: tuple[Score, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    recipes: tuple[RecipeScore, ...] = ()
    weights: tuple[WeightRow, ...] = ()
    costs: tuple[Cost, ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[Note, ...] = ()
