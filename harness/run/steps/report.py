"""Gather what a run found into a RESULT folder: the data alone, of which the command that publishes draws pages."""

import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness._version import __version__
from harness.checkpoints.locate import licence
from harness.data import share_of
from harness.files.hardware import machine
from harness.files.json_lines import to_json
from harness.files.zipped import write_zipped
from harness.results import AdapterFacts
from harness.results.digests import InputDigests
from harness.results.document import BESIDE, NAME, SCHEMA, write_document
from harness.results.verdicts import FILE as VERDICTS
from harness.run.finished import FinishedSteps, finished_needs
from harness.run.intact import read_record
from harness.run.steps import Contribution, Finished, Part, StepContext
from harness.types import Answers, Gate, Note, Outcome, Pins, Suite, System, Task

VERSION = 4
LIBRARIES: tuple[str, ...] = ()
LANE = False
TOLERANT = True
FILES = (NAME, *BESIDE, VERDICTS)
ROWS, SAMPLES, GENERATIONS = BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Needs everything; what failed is missing and said so."""

    suite: Suite
    pins: Pins
    seed: int
    limit: int | None
    parts: tuple[Part, ...]
    adapters: tuple[AdapterFacts, ...]


def run(spec: Report, context: StepContext) -> None:
    from harness.gates.judge import judge, write_verdicts
    from harness.results.rows import write_rows

    found = FinishedSteps(
        steps=finished_needs(spec.parts, context.needs),
        samples_asked={
            task: total if spec.limit is None else min(total, spec.limit)
            for task, total in spec.pins.test_samples.items()
        },
    )
    for old in context.folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_rows(context.folder / ROWS, found.rows())
    asked = InputDigests()
    write_zipped(context.folder / SAMPLES, asked.samples(found.samples()))
    write_zipped(context.folder / GENERATIONS, asked.generations(found.generations()))
    write_document(context.folder, result(spec, context, found, asked))
    if spec.suite.gates:
        write_verdicts(context.folder, judge(context.folder))
    context.progress(1, 1)


def contributes(finished: Finished) -> Contribution:
    """Return nothing: what the step leaves is the result."""
    return Contribution()


def _notes(context: StepContext, found: FinishedSteps, answers: Sequence[Answers]) -> Iterator[Note]:
    """Yield what went other than planned: what the steps noted, inert adapters, and steps without a result."""
    yield from found.notes
    yield from _inert(answers)
    labels = dict(
        zip((step for step, _ in context.needs), (label for _, label in context.labels), strict=True)
    )
    for outcome in context.run.outcomes.values() if context.run else ():
        if outcome.state in ("failed", "skipped"):
            yield Note(
                kind=f"step {outcome.state}",
                where=labels.get(outcome.step, outcome.step),
                count=1,
                of=len(context.needs),
                detail=f"{outcome.reason} (log: {outcome.log})" if outcome.log else outcome.reason,
            )


def _inert(answers: Sequence[Answers]) -> Iterator[Note]:
    """Yield a note on each adapter whose answers all equal its base's: the commonest silent failure."""
    texts = {(answered.task, answered.system): answered.texts for answered in answers}
    for answered in answers:
        task, system = answered.task, answered.system
        if system.adapter and texts.get((task, System(model=system.model))) == answered.texts:
            detail = "every answer equals the base's: the adapter changes nothing here"
            where = f"{task}, {system}"
            yield Note(kind="inert", where=where, count=answered.n, of=answered.n, detail=detail)


def result(spec: Report, context: StepContext, found: FinishedSteps, asked: InputDigests) -> dict[str, Any]:
    """result.json: the machine's view; its JSON schema is report/result.schema.json."""
    return {
        "schema": SCHEMA,
        "suite": _suite(spec, asked),
        "scores": [_flat(to_json(score)) for score in found.scores],
        "comparisons": [to_json(comparison) for comparison in found.comparisons],
        "answers": [_flat(to_json(answered)) for answered in asked.answers()],
        "recipes": [to_json(recipe) for recipe in found.recipes],
        "weights": [_flat(to_json(row), "numbers") for row in found.weights],
        "costs": [_flat(to_json(cost)) for cost in found.costs],
        "curves": [to_json(curve) for curve in found.curves],
        "notes": [to_json(note) for note in _notes(context, found, asked.answers())],
        "steps": _steps(spec, context),
        "manifest": _manifest(spec, context),
    }


def _flat(record: dict[str, Any], inner: str = "system") -> dict[str, Any]:
    """The record with one of its fields' own fields in that field's place."""
    return {
        key: value
        for name, content in record.items()
        for key, value in (content.items() if name == inner else [(name, content)])
    }


def _suite(spec: Report, asked: InputDigests) -> dict[str, Any]:
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


def _task(task: Task, asked: InputDigests) -> dict[str, Any]:
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


def _steps(spec: Report, context: StepContext) -> list[dict[str, Any]]:
    """Every step as it ended; one that was kept from an earlier run counts as done."""
    listed = []
    for part, (step, folder), (kind, label) in zip(spec.parts, context.needs, context.labels, strict=True):
        ended = context.run.outcomes.get(step) if context.run else None
        if folder.is_dir():
            ended = Outcome(step=step, state="done", seconds=read_record(folder)["seconds"])
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


def _manifest(spec: Report, context: StepContext) -> dict[str, Any]:
    return {
        "harness": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": context.run.command if context.run else "",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hardware": to_json(machine()),
        "device": spec.pins.device,
        "libraries": dict(spec.pins.libraries),
        "runtime": to_json(context.runtime),
        "seed": spec.seed,
        "sources": dict(spec.pins.sources),
        "models": {name: pin.revision for name, pin in spec.pins.models.items()},
    }
