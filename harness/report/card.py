"""An adapter's model card: its scores beside its base's, how it was made, how to load it, and its limits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import text as words
from harness.errors import UnknownName
from harness.report import halving, markdown
from harness.report import page as pages
from harness.report.answer import Field
from harness.report.limits import limits
from harness.report.loading import hub_id, loading
from harness.report.page import Page, ScoreLine, TaskPage
from harness.report.weighed import WeightLine
from harness.results import AdapterFacts, ModelFacts, Result, TaskFacts
from harness.results.costs import Costs
from harness.types import Comparison, Note, Score, System

MARK = "<!-- made by harness card -->"  # a README with this line may be overwritten


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A system that needs no training (a base with examples, or a trivial rule) and the adapter's difference from it."""

    line: ScoreLine
    difference: Comparison | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryScore:
    """A score of the adapter other than the primary one, with its base's."""

    score: Score
    base: Score | None
    difference: Comparison | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The adapter's results on one task."""

    task: TaskPage
    line: ScoreLine
    base: ScoreLine | None
    untrained: tuple[Against, ...]
    others: tuple[SecondaryScore, ...]
    inert: bool
    signatures: Mapping[str, Sequence[str]]  # signature -> display names of its metrics
    digest: str  # digest of the task's data


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that the model card shows."""

    system: System
    model: ModelFacts
    adapter: AdapterFacts
    recipe: Mapping[str, object]  # empty for an adapter that was trained elsewhere
    trained_on: TaskFacts | None
    measured: tuple[Measured, ...]
    costs: Costs
    hardware: str
    losses: str
    weights: WeightLine | None
    notes: tuple[Note, ...]
    lost: tuple[str, ...]  # steps that failed or were skipped
    limits: tuple[str, ...]
    loading: str
    command: str
    made: str  # version of the harness, and the date
    created: str  # ISO 8601, UTC
    libraries: str
    licence: str | None


def build(result: Result, system: System, *, place: str | None = None, licence: str | None = None) -> Card:
    """Return the card of an adapter that the result measured; `place` is where it can be loaded from."""
    model, adapter = _facts(result, system)
    page = pages.build(result)
    measured = tuple(_measured(result, page, system))
    tasks = {task.name: task for task in result.suite.tasks}
    trained_on = tasks.get(adapter.trained_on or "")
    shown = trained_on or (measured[0].task.facts if measured else None)
    return Card(
        system=system,
        model=model,
        adapter=adapter,
        recipe=_recipe(result, system, adapter),
        trained_on=trained_on,
        measured=measured,
        costs=measured[0].line.costs if measured else Costs(),
        hardware=next((cost.hardware for cost in result.costs if cost.system == system), ""),
        losses=_losses(result, system),
        weights=next((line for line in page.weights.lines if line.system == system), None),
        notes=tuple(_notes(page, system, measured)),
        lost=tuple(step.label for step in page.failed if step.label.endswith(f" {system}")),
        limits=tuple(limits(result, model, adapter, [on_task.task for on_task in measured])),
        loading=loading(model, place or hub_id(adapter.uri), shown),
        command=words.portable(page.command),
        made=", ".join(filter(None, (f"finetune-harness {result.manifest.harness}", page.created))),
        created=result.manifest.created,
        libraries=_libraries(result),
        licence=licence,
    )


def render(card: Card) -> str:
    """Return the card's Markdown body; the YAML metadata go before it."""
    text = markdown.document("card.md.j2", {"card": card, "mark": MARK})
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _recipe(result: Result, system: System, adapter: AdapterFacts) -> Mapping[str, object]:
    """Return the settings that the adapter was trained with; of a sweep with halving, how they were chosen."""
    recipe, halved = result.recipe(adapter), result.halved(system)
    if halved is None:
        return recipe
    swept = halved.winner.settings if halved.winner else {}
    shown = {key: f"{value:g}" for key, value in swept.items()}
    return {**recipe, **shown, "sweep": None, "halving": halving.sentence(halved)}


def _facts(result: Result, system: System) -> tuple[ModelFacts, AdapterFacts]:
    where = f"{result.folder}"
    models = {model.name: model for model in result.suite.models}
    if system.model not in models:
        raise UnknownName("model", system.model, models, where)
    adapters = {adapter.name: adapter for adapter in result.suite.adapters if adapter.model == system.model}
    if system.adapter not in adapters:
        raise UnknownName(f"adapter of {system.model}", system.adapter or "", adapters, where)
    return models[system.model], adapters[system.adapter]


def _measured(result: Result, page: Page, system: System) -> Iterator[Measured]:
    """Yield the adapter's results on each task that it answered; the task that it was trained on comes first."""
    for task in page.tasks:
        lines = {line.system: line for line in task.lines}
        if system not in lines:
            continue
        field, base = Field(result, task.facts), system.base
        bases = lines[base].others if base in lines else ()
        yield Measured(
            task=task,
            line=lines[system],
            base=lines.get(base),
            untrained=tuple(
                Against(line=line, difference=field.between(system, other))
                for other, line in lines.items()
                if other.is_trivial or (other.model == system.model and other.adapter is None and other.shots)
            ),
            others=tuple(
                SecondaryScore(
                    score=score,
                    base=next((base for base in bases if base.metric == score.metric), None),
                    difference=next(
                        (
                            comparison
                            for comparison in result.comparisons
                            if (comparison.task, comparison.metric) == (task.facts.name, score.metric)
                            and (comparison.candidate, comparison.baseline) == (system, base)
                        ),
                        None,
                    ),
                )
                for score in lines[system].others
            ),
            inert=any(
                note.kind == "inert" and note.where == f"{task.facts.name}, {system}" for note in page.notes
            ),
            signatures=_signatures(lines[system]),
            digest=result.manifest.sources.get(task.facts.name, ""),
        )


def _signatures(line: ScoreLine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for score in (line.score, *line.others):
        found.setdefault(score.signature, []).append(words.metric(score.metric))
    return found


def _losses(result: Result, system: System) -> str:
    """Return the first and last training loss and the lowest validation loss, in words."""
    for curve in result.curves:
        if (curve.model, curve.adapter) != (system.model, system.adapter) or not curve.points:
            continue
        losses = [(point.loss, point.step) for point in curve.points if point.loss is not None]
        checked = [
            (point.validation_loss, point.step) for point in curve.points if point.validation_loss is not None
        ]
        said = f"{words.plural(curve.points[-1].step, 'step')}"
        if losses:
            said += f"; training loss {words.number(losses[0][0], 2)} at first, {words.number(losses[-1][0], 2)} at last"
        if checked:
            loss, step = min(checked)
            said += f"; lowest validation loss {words.number(loss, 3)}, at step {step:,}"
        if curve.chosen_by:
            said += f"; the checkpoint was chosen by {words.metric(curve.chosen_by)}"
        return said
    return ""


def _notes(page: Page, system: System, measured: Sequence[Measured]) -> Iterator[Note]:
    """Yield the notes on the adapter, its base or the tasks' samples."""
    whose = {str(system), *(str(on_task.base.system) for on_task in measured if on_task.base)}
    tasks = [on_task.task.facts.name for on_task in measured]
    here = {*whose, *tasks, *(f"{task}, {name}" for task in tasks for name in whose)}
    yield from (note for note in page.notes if note.where in here)


def _libraries(result: Result) -> str:
    """Return the versions of the libraries that an adapter's answers depend on."""
    found = result.manifest.libraries
    return ", ".join(f"{name} {found[name]}" for name in ("torch", "transformers", "peft") if name in found)
