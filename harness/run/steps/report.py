"""Gather what a run found into a RESULT folder: the data alone, of which the command that publishes draws pages."""

import json
import platform
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._version import __version__
from harness.checkpoints.locate import licence
from harness.data import share_of
from harness.files.hardware import machine
from harness.files.json_lines import read_json, to_json
from harness.files.zipped import write_zipped
from harness.results.document import SCHEMA, write_document
from harness.run.steps import Bench
from harness.run.steps._asked import Asked
from harness.run.steps._costs import costs
from harness.run.steps._findings import Findings, NamedAdapter, Part, Report
from harness.run.steps._notes import notes
from harness.types import Gate, Outcome, Task

if TYPE_CHECKING:  # pyarrow is loaded where rows are written
    from harness.results.rows import Key, Rows

VERSION = 4
LIBRARIES: tuple[str, ...] = ()
__all__ = ["LIBRARIES", "VERSION", "NamedAdapter", "Part", "Report", "run"]


def run(spec: Report, bench: Bench) -> None:
    from harness.gates.judge import judge, write_verdicts
    from harness.results.rows import write_rows

    found = Findings(spec, bench)
    for old in bench.folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_rows(bench.folder / "rows.parquet", rows(found))
    asked = Asked()
    write_zipped(bench.folder / "samples.jsonl.gz", asked.samples(found.samples()))
    write_zipped(bench.folder / "generations.jsonl.gz", asked.generations(found.generations()))
    write_document(bench.folder, result(spec, bench, found, asked))
    if spec.suite.gates:
        write_verdicts(bench.folder, judge(bench.folder))
    bench.progress(1, 1)


def result(spec: Report, bench: Bench, found: Findings, asked: Asked) -> dict[str, Any]:
    """result.json: the machine's view; its JSON schema is report/result.schema.json."""
    compared = [folder for _, _, folder in found.folders("compare")]
    return {
        "schema": SCHEMA,
        "suite": _suite(spec, asked),
        "scores": [
            _flat(score)
            for part, _, scored in found.folders("score")
            for folder in (
                scored,
                *(folder for _, _, folder in found.folders("foreign", part.task, part.system)),
            )
            for score in read_json(folder / "scores.json")
        ],
        "comparisons": [one for folder in compared for one in read_json(folder / "comparisons.json")],
        "answers": [_flat(to_json(one)) for one in asked.answers()],
        "recipes": [one for folder in compared for one in read_json(folder / "recipes.json")],
        "weights": [
            _flat(row, "numbers")
            for _, _, folder in found.folders("spectra")
            for row in read_json(folder / "weights.json")
        ],
        "costs": [_flat(to_json(cost)) for cost in costs(found)],
        "curves": [
            {
                "model": part.system.model,
                "adapter": part.system.adapter,
                "points": points(folder / "curve.jsonl"),
            }
            for part, _, folder in found.folders("train")
            if part.system
        ],
        "notes": [to_json(note) for note in notes(found, asked.answers())],
        "steps": _steps(spec, bench),
        "manifest": _manifest(spec, bench),
    }


def _flat(record: dict[str, Any], inner: str = "system") -> dict[str, Any]:
    """The record with one of its fields' own fields in that field's place."""
    return {
        key: value
        for name, content in record.items()
        for key, value in (content.items() if name == inner else [(name, content)])
    }


def points(curve: Path) -> list[dict[str, Any]]:
    lines = [json.loads(text) for text in curve.read_text().splitlines()]
    names = ("step", "loss", "validation_loss", "learning_rate")
    return [{name: point.get(name) for name in names} for point in lines]


def _suite(spec: Report, asked: Asked) -> dict[str, Any]:
    suite, pins = spec.suite, spec.pins
    return {
        "name": suite.name,
        "about": suite.about,
        "limit": spec.limit,
        "train_on": list(suite.train_on),
        "base_shots": list(suite.base_shots),
        "tasks": [
            _task(task, asked) for task in suite.tasks if any(part.task == task.name for part in spec.parts)
        ],
        "models": [
            {
                "name": model.name,
                "uri": model.uri,
                "revision": pins.models[model.name].revision,
                "family": pins.models[model.name].family,
                "parameters": pins.models[model.name].parameters,
                "dtype": pins.models[model.name].dtype,
                "quantization": model.quantization,
                "chat": model.chat,
                "licence": licence(model, pins.models[model.name]),
            }
            for model in suite.models
        ],
        "recipes": [to_json(recipe) for recipe in suite.recipes],
        "adapters": [to_json(adapter) for adapter in spec.adapters],
        "gates": [_said(gate) for gate in suite.gates],
        "family_error": suite.family_error,
    }


def _said(gate: Gate) -> dict[str, Any]:
    """What a gate says, and not what it leaves out."""
    usual = to_json(Gate())
    return {key: value for key, value in to_json(gate).items() if value != usual[key]}


def _task(task: Task, asked: Asked) -> dict[str, Any]:
    return {
        "name": task.name,
        "about": task.about,
        "kind": task.kind,
        "primary": task.primary,
        "metrics": list(task.metrics),
        "prompt": task.prompt,
        "source": task.source.uri,
        "licence": task.source.licence,
        "share": share_of(task.source),
        "trivial": list(task.trivial),
        "cluster": task.cluster,
        "shots": task.shots,
        "overflow": task.overflow,
        "decode": to_json(task.decode),
        "allow_empty": task.allow_empty,
        "samples": asked.of(task.name),
    }


def _steps(spec: Report, bench: Bench) -> list[dict[str, Any]]:
    """Every step as it ended; one that was kept from an earlier run counts as done."""
    listed = []
    for part, (step, folder), (kind, label) in zip(spec.parts, bench.needs, bench.labels, strict=True):
        ended = bench.run.outcomes.get(step) if bench.run else None
        if folder.is_dir():
            ended = Outcome(step=step, state="done", seconds=read_json(folder / "step.json")["seconds"])
        ended = ended or Outcome(step=step, state="skipped", reason="not part of this run")
        listed.append(
            {
                "id": step,
                "kind": kind,
                "label": label,
                "state": ended.state,
                "seconds": ended.seconds,
                "reason": ended.reason,
                "log": ended.log,
                "task": part.task,
                **(to_json(part.system) if part.system else {}),
            }
        )
    return listed


def _manifest(spec: Report, bench: Bench) -> dict[str, Any]:
    return {
        "harness": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": bench.run.command if bench.run else "",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hardware": to_json(machine()),
        "device": spec.pins.device,
        "libraries": dict(spec.pins.libraries),
        "runtime": to_json(bench.runtime),
        "seed": spec.seed,
        "sources": dict(spec.pins.sources),
        "models": {name: pin.revision for name, pin in spec.pins.models.items()},
    }


def rows(found: Findings) -> "Iterator[tuple[Key, Rows]]":
    """What rows.parquet holds."""
    from harness.results.rows import Rows

    for part, _, folder in found.folders("score"):
        assert part.system is not None
        ids = tuple(read_json(folder / "ids.json"))
        with np.load(folder / "rows.npz", allow_pickle=False) as tables:
            for metric in tables.files:
                yield (part.task, part.system, metric), Rows(ids=ids, stats=tables[metric])
