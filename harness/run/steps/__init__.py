"""Hands: each step reads records, calls one craft and writes records into its own folder.

A step is a file with `VERSION` (raised when its results change), `LIBRARIES` (those whose versions can move a result),
a frozen record for its spec and `run(spec, bench)`. No step calls another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import backends
from harness.backends import OpenBackend
from harness.checkpoints.locate import locate_adapter
from harness.types import Adapter, Model, ModelPin, Outcome, Runtime


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
class Slot:
    """Keeps one base model in memory for all steps of a lane; another model takes its place."""

    runtime: Runtime
    _used: UsedModel | None = None
    _backend: OpenBackend | None = None

    def open(self, used: UsedModel) -> OpenBackend:
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
class Bench:
    """Where a step works and what lies on the table."""

    folder: Path  # the step's own; what an interrupted try left is still there
    needs: tuple[tuple[str, Path], ...]  # id and finished folder, in the order of the step's needs
    labels: tuple[tuple[str, str], ...] = ()  # kind and label of each need
    runtime: Runtime
    slot: Slot
    relatives: tuple[Path, ...] = ()  # finished steps whose answers may be continued
    run: RunRecord | None = None
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)

    def need(self, position: int) -> Path:
        return self.needs[position][1]


def model_folder(used: UsedModel, bench: Bench) -> Path:
    """Return where the model's weights are."""
    return backends.folder(used.model, used.pin, offline=bench.runtime.offline)


def adapter_folder(used: UsedAdapter | None, bench: Bench) -> Path | None:
    """Where the adapter's files are; None for the base itself."""
    if used is None:
        return None
    if used.existing is None:
        return bench.need(-1) / "adapter"
    return locate_adapter(used.existing, used.revision, offline=bench.runtime.offline)
