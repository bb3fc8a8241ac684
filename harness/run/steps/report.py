"""Gathers what a run found into a RESULT folder, and draws its pages."""

import platform
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from harness import backends
from harness._version import __version__
from harness.data import share_of
from harness.files.hardware import machine
from harness.files.json_lines import iterate_lines, read_json, to_json
from harness.files.zipped import write_zipped
from harness.results import (
    AdapterFacts,
    Curve,
    ModelFacts,
    Point,
    Result,
    RunFacts,
    StepFacts,
    SuiteFacts,
    TaskFacts,
    document,
)
from harness.results.document import write_document
from harness.results.plain import record
from harness.run.steps import Bench
from harness.run.steps._asked import Asked
from harness.run.steps._costs import costs
from harness.run.steps._findings import Findings, NamedAdapter, Part, Report
from harness.run.steps._notes import notes
from harness.run.store import Store
from harness.types import Comparison, Model, ModelPin, Outcome, RecipeScore, Score, Task, WeightRow

if TYPE_CHECKING:  # pyarrow is loaded where rows are written
    from harness.results.rows import Key, Rows

VERSION = 3
Record = TypeVar("Record")
LIBRARIES: tuple[str, ...] = ()  # those that draw pages move no result
__all__ = ["LIBRARIES", "VERSION", "NamedAdapter", "Part", "Report", "run"]


def run(spec: Report, bench: Bench) -> None:
    from harness.gates.judge import judge
    from harness.report import render
    from harness.results import verdicts
    from harness.results.rows import write_rows

    found = Findings(spec, bench)
    for old in bench.folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_rows(bench.folder / "rows.parquet", rows(found))
    asked = Asked()
    write_zipped(bench.folder / "samples.jsonl.gz", asked.samples(found.samples()))
    write_zipped(bench.folder / "generations.jsonl.gz", asked.generations(found.generations()))
    write_document(bench.folder, document(result(spec, bench, found, asked)))
    if spec.suite.gates:
        verdicts.write(bench.folder, judge(bench.folder).verdicts)
    bench.progress(1, 2)
    render(bench.folder, Store(bench.folder.parents[1]).drawings)
    bench.progress(2, 2)


def result(spec: Report, bench: Bench, found: Findings, asked: Asked) -> Result:
    """Return what result.json says: the machine's view of the run."""
    compared = [folder for _, _, folder in found.folders("compare")]
    scored = [
        folder
        for part, _, own in found.folders("score")
        for folder in (own, *(folder for _, _, folder in found.folders("foreign", part.task, part.system)))
    ]
    spectra = [folder for _, _, folder in found.folders("spectra")]
    return Result(
        folder=bench.folder,
        suite=_suite(spec, asked),
        scores=_read_all(Score, scored, "scores.json"),
        comparisons=_read_all(Comparison, compared, "comparisons.json"),
        answers=tuple(asked.answers()),
        recipes=_read_all(RecipeScore, compared, "recipes.json"),
        weights=_read_all(WeightRow, spectra, "weights.json"),
        costs=tuple(costs(found)),
        curves=tuple(
            Curve(
                model=part.system.model,
                adapter=part.system.adapter,
                points=tuple(iterate_lines(folder / "curve.jsonl", Point)),
            )
            for part, _, folder in found.folders("train")
            if part.system and part.system.adapter
        ),
        notes=tuple(notes(found, asked.answers())),
        steps=tuple(_steps(spec, bench)),
        manifest=_manifest(spec, bench),
    )


def _read_all(kind: type[Record], folders: Iterable[Path], name: str) -> tuple[Record, ...]:
    """Return the records that steps left in files of this name."""
    return tuple(record(kind, content) for folder in folders for content in read_json(folder / name))


def _suite(spec: Report, asked: Asked) -> SuiteFacts:
    suite, pins = spec.suite, spec.pins
    return SuiteFacts(
        name=suite.name,
        about=suite.about,
        limit=spec.limit,
        train_on=suite.train_on,
        base_shots=suite.base_shots,
        tasks=tuple(
            _task(task, asked) for task in suite.tasks if any(part.task == task.name for part in spec.parts)
        ),
        models=tuple(_model(model, pins.models[model.name]) for model in suite.models),
        recipes=tuple(to_json(recipe) for recipe in suite.recipes),
        adapters=tuple(
            AdapterFacts(
                name=adapter.name,
                model=adapter.model,
                recipe=adapter.recipe,
                trained_on=adapter.trained_on,
                seed=adapter.seed,
                uri=adapter.uri,
            )
            for adapter in spec.adapters
        ),
        gates=suite.gates,
        family_error=suite.family_error,
    )


def _task(task: Task, asked: Asked) -> TaskFacts:
    return TaskFacts(
        name=task.name,
        about=task.about,
        kind=task.kind,
        primary=task.primary,
        metrics=task.metrics,
        prompt=task.prompt,
        source=task.source.uri,
        licence=task.source.licence,
        share=share_of(task.source),
        trivial=task.trivial,
        cluster=task.cluster,
        shots=task.shots,
        overflow=task.overflow,
        decode=to_json(task.decode),
        allow_empty=task.allow_empty,
        samples=asked.of(task.name),
    )


def _model(model: Model, pin: ModelPin) -> ModelFacts:
    return ModelFacts(
        name=model.name,
        uri=model.uri,
        revision=pin.revision,
        family=pin.family,
        parameters=pin.parameters,
        dtype=pin.dtype,
        quantization=model.quantization,
        chat=model.chat,
        licence=backends.of(model).licence(model, pin),
    )


def _steps(spec: Report, bench: Bench) -> Iterator[StepFacts]:
    """Give every step as it ended; one that was kept from an earlier run counts as done."""
    for part, (step, folder), (kind, label) in zip(spec.parts, bench.needs, bench.labels, strict=True):
        ended = bench.run.outcomes.get(step) if bench.run else None
        if folder.is_dir():
            ended = Outcome(step=step, state="done", seconds=read_json(folder / "step.json")["seconds"])
        ended = ended or Outcome(step=step, state="skipped", reason="not part of this run")
        yield StepFacts(
            id=step,
            kind=kind,
            label=label,
            state=ended.state,
            seconds=ended.seconds,
            reason=ended.reason,
            log=ended.log,
            task=part.task,
            system=part.system,
        )


def _manifest(spec: Report, bench: Bench) -> RunFacts:
    return RunFacts(
        harness=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=bench.run.command if bench.run else "",
        python=platform.python_version(),
        platform=platform.platform(),
        hardware=to_json(machine()),
        device=spec.pins.device,
        libraries=spec.pins.libraries,
        runtime=to_json(bench.runtime),
        seed=spec.seed,
        sources=spec.pins.sources,
        models={name: pin.revision for name, pin in spec.pins.models.items()},
    )


def rows(found: Findings) -> "Iterator[tuple[Key, Rows]]":
    """What rows.parquet holds."""
    from harness.results.rows import Rows

    for part, _, folder in found.folders("score"):
        assert part.system is not None
        ids = tuple(read_json(folder / "ids.json"))
        with np.load(folder / "rows.npz", allow_pickle=False) as tables:
            for metric in tables.files:
                yield (part.task, part.system, metric), Rows(ids=ids, stats=tables[metric])
