"""Add the steps of a plan: one function for each kind of step but training."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness import backends, kinds
from harness.plan.adapters import Candidate
from harness.plan.builder import Parts, PlanBuilder, asked_task, model_plugins, used_model
from harness.plugins.choice import parse
from harness.results import AdapterFacts
from harness.run.steps import PlanPart
from harness.run.steps import compare as compare_step
from harness.run.steps import foreign as foreign_step
from harness.run.steps import generate as generate_step
from harness.run.steps import load as load_step
from harness.run.steps import report as report_step
from harness.run.steps import score as score_step
from harness.run.steps import spectra as spectra_step
from harness.scoring.questions import Cell
from harness.suite.stages import trained_tasks
from harness.tasks import rules as trivial
from harness.tasks.metric_names import PROGRAM, is_program
from harness.types import (
    Model,
    Split,
    Step,
    Suite,
    System,
    Task,
    Unasked,
)

BLOCK = 512  # test samples a generate step covers at most


def splits_needed(suite: Suite, task: Task) -> tuple[Split, ...]:
    """Return the splits of a task that a run reads.

    Training reads the training split, and validation to choose the checkpoint; few-shot examples are training samples, and
    some trivial rules count them.
    """
    trained_on = task.name in trained_tasks(suite)
    if suite.scales and (trained_on or task.name == suite.forgetting):
        return ("train", "validation", "test") if trained_on else ("validation", "test")
    if trained_on and any(recipe.validation_samples for recipe in suite.recipes):
        return ("train", "validation", "test")
    if trained_on and suite.recipes:
        return ("train", "test")
    counted = any(rule in trivial.FROM_TRAINING for rule in task.trivial)
    return ("train", "test") if counted or task.shots or any(suite.base_shots) else ("test",)


def load(builder: PlanBuilder, task: Task) -> Step:
    """Add the step that reads a task's samples, and return it."""
    splits = splits_needed(builder.suite, task)
    spec = load_step.Load(
        source=replace(task.source, licence=None, share=None),
        data=builder.pins.sources[task.name],
        splits=splits,
        rules=builder.pins.rules.get(task.name, ()),
    )
    used = [("data", task.source.uri.partition(":")[0])]
    return builder.add(load_step, spec, (), f"load {task.name}", plugins=used)


def generate(
    builder: PlanBuilder,
    task: Task,
    system: System,
    candidate: Candidate | None,
    model: Model | None,
    load: Step,
) -> list[Step]:
    """Add the steps in which a model answers a task's samples, block by block, and return them."""
    if model is None:
        return []
    needs = [load, candidate.step] if candidate and candidate.step else [load]
    total = builder.samples(task)
    asked = asked_task(task, task.shots + system.shots, builder.pins.models[model.name].family)
    found = []
    for start in range(0, total, BLOCK):
        spec = generate_step.Generate(
            used=used_model(builder, model),
            adapter=candidate.used if candidate else None,
            task=asked,
            start=start,
            stop=min(start + BLOCK, total),
            device=builder.pins.device,
            kind_version=kinds.find(task.kind).version,
        )
        label = f"generate {task.name}, {system}"
        used = [("kinds", task.kind), *model_plugins(builder, model)]
        libraries = backends.of(model).libraries
        found.append(
            builder.add(
                generate_step,
                spec,
                needs,
                label,
                model.name,
                grows="stop",
                plugins=used,
                libraries_too=libraries,
            )
        )
    return found


def score(
    builder: PlanBuilder,
    task: Task,
    system: System,
    load: Step,
    blocks: list[Step],
    model: Model | None,
    rule: str | None,
) -> Step:
    """Add the step that scores a system's answers, or those of a trivial rule, and return it."""
    spec = score_step.ScoreAnswers(
        task=task.name,
        system=system,
        metrics=_own(task.metrics),
        primary=task.primary,
        cluster=task.cluster,
        rule=rule,
        samples=builder.samples(task),
        seed=builder.seed,
        judged=task.judge is not None,
    )
    base = model.name if model else "trivial rules"
    used = [("metrics", parse(metric).own) for metric in spec.metrics]
    label = f"score {task.name}, {system}"
    return builder.add(score_step, spec, (load, *blocks), label, base, plugins=used)


def _own(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that are no programs of other people: each such program has a step of its own."""
    return tuple(metric for metric in metrics if not is_program(metric))


def foreign(builder: PlanBuilder, task: Task, system: System, load: Step, scored: Step) -> Parts:
    """Return a step for each metric that is a program of other people: where it fails, the other scores stay."""
    found: Parts = []
    for metric in (metric for metric in task.metrics if is_program(metric)):
        spec = foreign_step.ForeignScore(
            task=task.name,
            system=system,
            metric=metric,
            script=builder.pins.scripts.get(metric),
            primary=task.primary,
            samples=builder.samples(task),
        )
        label = f"score {task.name}, {system} by {PROGRAM}{metric.rpartition('/')[2].removeprefix(PROGRAM)}"
        step = builder.add(foreign_step, spec, (load, scored), label.removesuffix(".py"), scored.lane or "")
        found.append((PlanPart(kind="foreign", task=task.name, system=system), step))
    return found


def spectra(builder: PlanBuilder, candidates: Sequence[Candidate]) -> Parts:
    """Return a step for the weights of each base and of each adapter on it."""
    found: Parts = []
    if builder.suite.weights is None:
        return found
    for model in builder.suite.models:
        if backends.of(model).folder is None:
            continue  # no weights to look at
        for candidate in [None, *(candidate for candidate in candidates if candidate.model == model)]:
            name = candidate.name if candidate else None
            spec = spectra_step.Spectra(
                used=used_model(builder, model),
                adapter=candidate.used if candidate else None,
                name=name,
                weighing=builder.suite.weights,
            )
            needs = (candidate.step,) if candidate and candidate.step else ()
            system = System(model=model.name, adapter=name)
            used = model_plugins(builder, model)
            step = builder.add(spectra_step, spec, needs, f"weigh {system}", model.name, plugins=used)
            found.append((PlanPart(kind="spectra", system=system), step))
    return found


def compare(
    builder: PlanBuilder, task: Task, candidates: Sequence[Candidate], parts: Parts
) -> tuple[PlanPart, Step]:
    """Return the step that compares a task's systems: each task has its own, so that a finished task can be shown."""
    known = {
        System(model=candidate.model.name, adapter=candidate.name): candidate for candidate in candidates
    }
    scored = [(part, step) for part, step in parts if part.kind == "score" and part.task == task.name]
    cells = tuple(
        Cell(
            task=task.name,
            system=part.system,
            metrics=_own(task.metrics),
            primary=task.primary,
            recipe=candidate.recipe.name if candidate and candidate.recipe else None,
            trained_on=candidate.trained_on if candidate else None,
            seed=candidate.seed if candidate else None,
        )
        for part, _ in scored
        if part.system
        for candidate in [known.get(part.system)]
    )
    spec = compare_step.Compare(cells=cells, seed=builder.seed)
    step = builder.add(compare_step, spec, [step for _, step in scored], f"compare {task.name}")
    return PlanPart(kind="compare", task=task.name), step


def report(
    builder: PlanBuilder, candidates: Sequence[Candidate], parts: Parts, unasked: Sequence[Unasked]
) -> Step:
    """Add the step that gathers what all others found into a RESULT, and return it."""
    recipes = tuple(replace(recipe, about="") for recipe in builder.suite.recipes)
    spec = report_step.Report(
        suite=replace(builder.suite, recipes=recipes),
        pins=builder.pins,
        seed=builder.seed,
        limit=builder.limit,
        parts=tuple(part for part, _ in parts),
        unasked=tuple(unasked),
        adapters=tuple(
            AdapterFacts(
                name=candidate.name,
                model=candidate.model.name,
                recipe=candidate.recipe.name if candidate.recipe else None,
                trained_on=candidate.trained_on,
                seed=candidate.seed,
                uri=candidate.used.existing.uri if candidate.used.existing else None,
                start=candidate.start,
            )
            for candidate in candidates
        ),
    )
    return builder.add(report_step, spec, [step for _, step in parts], "report")
