"""Gather the findings of a run into a RESULT folder: only the data, from which the command that publishes draws pages."""

import platform
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import backends, kinds
from harness._version import __version__
from harness.data import share_of
from harness.digest import IF_SET
from harness.files.commit import commit_around
from harness.files.hardware import machine
from harness.files.json_lines import iterate_lines, to_json
from harness.files.zipped import write_zipped
from harness.results import (
    AdapterFacts,
    ModelFacts,
    Result,
    RunFacts,
    StepFacts,
    SuiteFacts,
    TaskFacts,
    document,
)
from harness.results.digests import InputDigests
from harness.results.document import BESIDE, NAME, write_document
from harness.results.odd import NOT_APPLICABLE, place
from harness.results.verdicts import FILE as VERDICTS
from harness.run.finished import FinishedSteps, finished_needs
from harness.run.intact import read_record
from harness.run.steps import ANSWERS, FIRST, Contribution, Finished, PlanPart, StepContext
from harness.types import (
    Answers,
    Generation,
    Model,
    ModelPin,
    Note,
    Outcome,
    Pins,
    Recipe,
    Suite,
    Task,
    Unasked,
)

VERSION = 5
LIBRARIES: tuple[str, ...] = ()
LANE = False
TOLERANT = True
FILES = (NAME, *BESIDE, VERDICTS)
ROWS, SAMPLES, GENERATIONS = BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The settings of the report. It needs all other steps; it names the steps that failed."""

    suite: Suite
    pins: Pins
    seed: int
    limit: int | None
    parts: tuple[PlanPart, ...]
    adapters: tuple[AdapterFacts, ...]
    unasked: tuple[Unasked, ...] = field(default=(), metadata=IF_SET)


def run(spec: Report, context: StepContext) -> None:
    """Write rows, samples, generations, result.json and, where the suite has gates, verdicts."""
    from harness.gates.judge import judge
    from harness.results import verdicts
    from harness.results.rows import write_rows

    found = FinishedSteps(
        steps=tuple(step for step in finished_needs(spec.parts, context.needs) if _shown(step.part, context)),
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
    write_document(context.folder, document(result(spec, context, found, asked)))
    if spec.suite.gates:
        verdicts.write(context.folder, judge(context.folder).verdicts)
    context.progress(1, 1)


def _settings(recipe: Recipe) -> dict[str, object]:
    """Return a recipe's settings, without its description and without the values that halving chose among."""
    left_out = {"about", *recipe.sweep} | (set() if recipe.halving else {"sweep", "halving"})
    return {key: value for key, value in to_json(recipe).items() if key not in left_out}


def _shown(part: PlanPart, context: StepContext) -> bool:
    """Return whether a step belongs into the RESULT: while the run goes on, no step of a task that is not finished.

    Comparisons of some of a task's systems would be corrected for less than what is asked.
    """
    tasks = context.run.tasks if context.run else None
    return tasks is None or part.task in ("", *tasks)


def contributes(finished: Finished) -> Contribution:
    """Return an empty contribution: the step's folder is the result itself."""
    return Contribution()


def _notes(
    spec: Report, context: StepContext, found: FinishedSteps, answers: Sequence[Answers]
) -> Iterator[Note]:
    """Yield what went other than planned: notes of steps, odd answers, inert adapters, steps without a result."""
    for cell in spec.unasked:
        where = place(cell.task, cell.system)
        yield Note(kind=NOT_APPLICABLE, where=where, count=0, of=0, detail=cell.reason)
    yield from found.notes
    odd = {task.name: kinds.find(task.kind).odd for task in spec.suite.tasks}
    for scored in found.of("score"):
        yield from _odd(scored, odd[scored.part.task])
    yield from inert(answers)
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


def _odd(finished: Finished, odd: Mapping[str, kinds.Oddity]) -> Iterator[Note]:
    """Yield a note for each way in which a system's answers to a task are odd."""
    total = 0
    counts: Counter[str] = Counter()
    first: dict[str, list[str]] = {name: [] for name in odd}
    for generation in iterate_lines(finished.folder / ANSWERS, Generation):
        total += 1
        for name, oddity in odd.items():
            if oddity.holds(generation):
                counts[name] += 1
                first[name] += [generation.sample_id] if counts[name] <= FIRST else []
    for name, oddity in odd.items():
        if counts[name]:
            yield Note(
                kind=name,
                where=finished.where,
                count=counts[name],
                of=total,
                detail=oddity.said,
                samples=tuple(first[name]),
            )


def inert(answers: Sequence[Answers]) -> Iterator[Note]:
    """Yield a note on each adapter whose answers all equal its base's: the commonest silent failure."""
    texts = {(answered.task, answered.system): answered.texts for answered in answers}
    for answered in answers:
        task, system = answered.task, answered.system
        if system.adapter and texts.get((task, system.base)) == answered.texts:
            detail = "every answer equals the base's: the adapter changes nothing here"
            where = f"{task}, {system}"
            yield Note(kind="inert", where=where, count=answered.n, of=answered.n, detail=detail)


def result(spec: Report, context: StepContext, found: FinishedSteps, asked: InputDigests) -> Result:
    """Return the result that result.json holds: the run's findings for programs."""
    return Result(
        folder=context.folder,
        suite=_suite(spec, asked),
        scores=tuple(found.scores),
        comparisons=tuple(found.comparisons),
        answers=tuple(asked.answers()),
        recipes=tuple(found.recipes),
        weights=tuple(found.weights),
        costs=tuple(found.costs),
        curves=tuple(found.curves),
        calibrations=tuple(found.calibrations),
        halvings=tuple(found.halvings),
        scalings=tuple(found.scalings),
        notes=tuple(_notes(spec, context, found, asked.answers())),
        steps=tuple(_steps(spec, context)),
        manifest=_manifest(spec, context),
    )


def _suite(spec: Report, asked: InputDigests) -> SuiteFacts:
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
        recipes=tuple(map(_settings, suite.recipes)),
        adapters=spec.adapters,
        gates=suite.gates,
        family_error=suite.family_error,
        forgetting=suite.forgetting,
    )


def _task(task: Task, asked: InputDigests) -> TaskFacts:
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
        labels=task.source.labels,
        settings=task.settings,
        system=task.system,
        by_family={
            family: {key: text for key, text in to_json(own).items() if text is not None}
            for family, own in task.by_family.items()
        },
        published=task.published,
        judge={} if task.judge is None else to_json(task.judge),
        samples=asked.of(task.name),
    )


def _model(model: Model, pin: ModelPin) -> ModelFacts:
    return ModelFacts(
        name=model.name,
        uri=model.uri,
        revision=pin.revision,
        family=pin.family,
        parameters=pin.parameters,
        dtype=None if pin.handshake else pin.dtype,
        quantization=model.quantization,
        chat=model.chat,
        licence=backends.of(model).licence(model, pin),
        stored=backends.of(model).stored(model, pin),
    )


def _steps(spec: Report, context: StepContext) -> Iterator[StepFacts]:
    """Give every step as it ended; one that was kept from an earlier run counts as done."""
    going = context.run is not None and context.run.tasks is not None
    for part, (step, folder), (kind, label) in zip(spec.parts, context.needs, context.labels, strict=True):
        ended = context.run.outcomes.get(step) if context.run else None
        if folder.is_dir():
            ended = Outcome(step=step, state="done", seconds=read_record(folder)["seconds"])
        if ended is None and going:
            ended = Outcome(step=step, state="waiting")
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


def _manifest(spec: Report, context: StepContext) -> RunFacts:
    return RunFacts(
        harness=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=context.run.command if context.run else "",
        python=platform.python_version(),
        platform=platform.platform(),
        hardware=to_json(machine()),
        device=spec.pins.device,
        libraries=spec.pins.libraries,
        runtime=to_json(context.runtime),
        seed=spec.seed,
        sources=spec.pins.sources,
        models={name: pin.revision for name, pin in spec.pins.models.items()},
        commit=commit_around(Path.cwd()),
        scripts={Path(path).name: path for path in spec.suite.plugins.get("metrics", {}).values()},
    )
