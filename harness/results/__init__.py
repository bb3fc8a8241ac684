"""A RESULT folder, read back: typed records for the report, pandas frames for people, and a check by recomputing."""

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.errors import ResultError
from harness.files.zipped import read_zipped
from harness.results import gates as gate_documents
from harness.results.document import SCHEMA, parsed, read_document, recorded_size
from harness.results.typed import record
from harness.types import (
    FAMILY_ERROR,
    Answers,
    Comparison,
    Cost,
    Density,
    Gate,
    Generation,
    Note,
    RecipeScore,
    Sample,
    Score,
    System,
    WeightRow,
)

__all__ = ["SCHEMA", "read_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """A task as it was asked."""

    name: str
    primary: str
    metrics: tuple[str, ...]  # plug-in names: "rouge", not "rougeL"
    about: str = ""
    kind: str = "generate"
    prompt: str = ""
    source: str = ""
    licence: str | None = None
    share: str = "scores"
    trivial: tuple[str, ...] = ()
    cluster: str | None = None
    shots: int = 0
    overflow: str = ""
    decode: Mapping[str, object] = field(default_factory=dict)
    allow_empty: bool = False  # an empty answer may be right
    samples: str = (
        ""  # digest of ids, inputs and references of the samples that were asked; "" in older results
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A base model as it was loaded."""

    name: str
    uri: str = ""
    revision: str | None = None
    family: str | None = None
    parameters: int | None = None
    dtype: str | None = None
    quantization: str = "none"
    chat: str = "auto"  # whether prompts go through the tokenizer's chat template; auto: where it has one
    licence: str | None = None  # as its card says


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFacts:
    """An adapter under the label that its scores carry."""

    name: str
    model: str
    recipe: str | None = None
    trained_on: str | None = None
    seed: int | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """The suite as it was run."""

    name: str
    tasks: tuple[TaskFacts, ...]
    models: tuple[ModelFacts, ...]
    adapters: tuple[AdapterFacts, ...] = ()
    recipes: tuple[Mapping[str, object], ...] = ()
    about: str = ""
    limit: int | None = None
    train_on: tuple[str, ...] = ()
    base_shots: tuple[int, ...] = (0,)
    gates: tuple[Gate, ...] = ()
    family_error: float = FAMILY_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line of a training log."""

    step: int
    loss: float | None
    validation_loss: float | None = None
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How an adapter's loss fell."""

    model: str
    adapter: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One step of the plan and how it ended."""

    id: str
    kind: str
    state: str
    label: str = ""
    seconds: float = 0.0
    reason: str = ""
    log: str = ""
    task: str = ""
    system: System | None = None  # None: it was of no system, or in an older result


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything `result.json` holds; generations and samples are read when asked for, as are rows (`result.rows`)."""

    folder: Path
    suite: SuiteFacts
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    answers: tuple[Answers, ...] = ()
    recipes: tuple[RecipeScore, ...] = ()
    weights: tuple[WeightRow, ...] = ()
    costs: tuple[Cost, ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[Note, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # digests of what lies beside result.json

    @property
    def withheld(self) -> tuple[str, ...]:
        """The tasks of which a copy made to be shared holds no text."""
        shareable = self.manifest.get("shareable")
        return tuple(one.name for one in self.suite.tasks if shareable and one.share != "text")


def read(folder: Path | str, *, changed: bool = False) -> Result:
    """The records of a RESULT folder; one that was changed by hand is read only where that is asked for."""
    folder = Path(folder)
    return records(folder, read_document(folder, changed=changed))


def records(folder: Path, document: Mapping[str, Any]) -> Result:
    """What a document says, as records: all of it, or as much as a caller left in."""
    try:
        suite = document["suite"]
        return Result(
            folder=folder,
            suite=record(
                SuiteFacts,
                suite,
                tasks=tuple(record(TaskFacts, one) for one in suite["tasks"]),
                models=tuple(record(ModelFacts, one) for one in suite["models"]),
                adapters=tuple(record(AdapterFacts, one) for one in suite.get("adapters", ())),
                gates=tuple(gate_documents.from_document(one) for one in suite.get("gates", ())),
            ),
            scores=tuple(record(Score, one, system=_system(one)) for one in document["scores"]),
            comparisons=tuple(
                record(
                    Comparison, one, baseline=_system(one["baseline"]), candidate=_system(one["candidate"])
                )
                for one in document["comparisons"]
            ),
            answers=tuple(record(Answers, one, system=_system(one)) for one in document.get("answers", ())),
            recipes=tuple(record(RecipeScore, one) for one in document.get("recipes", ())),
            weights=tuple(_weight_row(one) for one in document.get("weights", ())),
            costs=tuple(record(Cost, one, system=_system(one)) for one in document.get("costs", ())),
            curves=tuple(
                record(Curve, one, points=tuple(record(Point, point) for point in one["points"]))
                for one in document.get("curves", ())
            ),
            notes=tuple(record(Note, one) for one in document.get("notes", ())),
            steps=tuple(_step(one) for one in document.get("steps", ())),
            manifest=_mapping(document, "manifest"),
            files=_mapping(document, "files"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"{folder / 'result.json'}: broken or changed by hand: {error}") from error


def read_generations(
    folder: Path, of: Container[tuple[str, str]] | None = None
) -> Iterator[tuple[str, System, Generation]]:
    """(task, system, answer) of every sample, or `of` some (task, sample id), in file order."""
    path = folder / "generations.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with _told(path, number):
            if of is not None and (line["task"], line["sample_id"]) not in of:
                continue
            found = str(line["task"]), _system(line), record(Generation, line)
        yield found


def read_samples(folder: Path, of: Container[tuple[str, str]] | None = None) -> Iterator[tuple[str, Sample]]:
    """(task, sample), or `of` some (task, sample id), in file order."""
    path = folder / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with _told(path, number):
            if of is not None and (line["task"], line["sample_id"]) not in of:
                continue
            found = str(line["task"]), record(Sample, line, id=line["sample_id"])
        yield found


@contextmanager
def _told(path: Path, line: int) -> Iterator[None]:
    """What a line lacks, or holds instead, as a failure of its file."""
    try:
        yield
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path}:{line}: broken or changed by hand: {error}") from error


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_zipped(path, lambda: recorded_size(path)), 1):
        try:
            content = parsed(line)
        except (ValueError, RecursionError) as error:
            raise ResultError(f"{path}:{number}: not a JSON line ({error})") from error
        if not isinstance(content, dict):
            raise ResultError(f"{path}:{number}: found no JSON object; broken or changed by hand")
        yield content


def _system(data: Mapping[str, Any]) -> System:
    model, adapter, shots = data["model"], data.get("adapter"), data.get("shots") or 0
    if not (isinstance(model, str) and isinstance(adapter, str | None) and isinstance(shots, int)):
        raise TypeError(f"found the system {model!r}, {adapter!r}, {shots!r}")
    return System(model=model, adapter=adapter, shots=shots)


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise TypeError(f"{key}: found {repr(found)[:60]}")
    return found


def _step(data: Mapping[str, Any]) -> StepFacts:
    return record(StepFacts, data, system=_system(data) if data.get("model") else None)


def _weight_row(data: Mapping[str, Any]) -> WeightRow:
    named = {one.name for one in fields(WeightRow)}
    numbers = {
        key: value for key, value in data.items() if key not in named and isinstance(value, int | float)
    }
    density = record(Density, data["density"]) if data.get("density") else None
    return record(WeightRow, data, numbers=numbers, density=density)
