"""Train one adapter by a recipe, with a seed, on a base and a task's training split; validation chooses the checkpoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness import backends, kinds
from harness.backends import OpenBackend, Trainable
from harness.checkpoints.adapter import WEIGHTS
from harness.checkpoints.asked_with import asked_with, record
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.digest import IF_SET
from harness.errors import ModelError
from harness.files.json_lines import from_json, read_json, read_lines, to_json, write_json
from harness.metrics import load
from harness.neural import curve
from harness.results import Curve, Halved, Point
from harness.run.steps import (
    ADAPTER,
    FIRST,
    NO_END,
    Contribution,
    Finished,
    StepContext,
    UsedModel,
    opened,
    split_file,
)
from harness.scoring.accumulate import Tally
from harness.types import Combination, Note, Recipe, Sample, Split, Task

if TYPE_CHECKING:
    from harness.neural.train.loop import Judge

VERSION = 3
LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "peft")
LANE = True
TOLERANT = False
TRAINED = "trained.json"
COMBINATIONS = "combinations.json"  # of a sweep with halving
FILES = (ADAPTER, curve.FILE, TRAINED, COMBINATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBy:
    """A score of the task that chooses the checkpoint, on the validation samples."""

    task: Task  # as the model is asked it, without examples
    metric: str  # with its settings
    score: str  # one of the metric's


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The settings of training. The step needs the task's data, and the training that it continues, if any."""

    used: UsedModel
    task: Task  # without the settings that cannot move a prompt
    recipe: Recipe
    seed: int
    device: str
    # The task's stop string that ends a training example, where the model has no end-of-sequence token.
    stop: str = field(default="", metadata=IF_SET)
    chosen_by: ChosenBy | None = field(default=None, metadata=IF_SET)  # None: by the validation loss
    # Whether training begins with the adapter of the second need; False: it begins at the base
    continues: bool = field(default=False, metadata=IF_SET)


def run(spec: Train, context: StepContext) -> None:
    """Train the adapter, and write its weights, its loss curve and the costs of training."""
    from harness.neural.objectives import Example
    from harness.neural.train import train
    from harness.neural.train.halving import tidy, train_halved

    kind, backend = kinds.find(spec.task.kind), opened(spec.used, context)
    if not isinstance(backend, Trainable):
        raise ModelError(
            f"model {spec.used.model.name}: {spec.used.model.uri} cannot be trained; use a zoo, hub or file model"
        )

    def samples(split: Split, count: int | None) -> list[Sample]:
        found = read_lines(split_file(context.need(0), split), Sample)
        return (
            found
            if count is None or count >= len(found)
            else Random(f"{split}-{spec.seed}").sample(found, count)
        )

    def examples(samples: Sequence[Sample]) -> list[Example]:
        return [
            Example(
                id=s.id,
                prompt=kind.ask(spec.task, s, ()),
                answer=kind.target(spec.task, s),
                overflow=spec.task.overflow,
                stop=spec.stop,
                labels=spec.task.source.labels,
                rejected=kind.rejected(s) if kind.rejected else None,
            )
            for s in samples
        ]

    checked = samples("validation", spec.recipe.validation_samples) if spec.recipe.validation_samples else []
    learnt, judge = examples(samples("train", spec.recipe.max_samples)), None
    if spec.chosen_by is not None:
        judge = _judge(spec, spec.chosen_by, backend, checked)
    if spec.recipe.halving is None:
        trained = train(
            backend.base,
            learnt,
            examples(checked),
            spec.recipe,
            spec.seed,
            context.folder,
            lambda step, steps, loss: context.progress(
                step, steps, "" if loss is None else f"loss {loss:.3g}"
            ),
            judge,
            context.need(1) / ADAPTER if spec.continues else None,
        )
    else:
        trained, tried = train_halved(
            backend.base,
            learnt,
            examples(checked),
            spec.recipe,
            spec.seed,
            context.folder,
            context.progress,
            judge,
        )
        write_json(context.folder / COMBINATIONS, to_json(tried))
    if (context.folder / ADAPTER / ADAPTER_RECORD).is_file():  # of several processes, the first alone saves
        template = backends.of(spec.used.model).chat_template(spec.used.model, spec.used.pin)
        record(context.folder / ADAPTER, asked_with(spec.task, template, spec.used.model.quantization))
    endless = backend.base.end is None and backend.base.architecture.writing is not None
    write_json(
        context.folder / TRAINED,
        {
            **to_json(trained),
            "endless": endless,
            "stop": spec.stop,
            "labels": len(spec.task.source.labels),
            "chosen_by": spec.chosen_by and spec.chosen_by.score,
        },
    )
    if spec.recipe.halving is not None:
        tidy(context.folder)


def _judge(spec: Train, chosen_by: ChosenBy, backend: OpenBackend, samples: Sequence[Sample]) -> "Judge":
    """Return what asks the validation samples and scores the answers.

    They are asked as test samples are, of the base with the factors that training has attached to it.
    """
    from harness.neural.train.loop import Judge

    kind, task, metric = kinds.find(chosen_by.task.kind), chosen_by.task, load(chosen_by.metric)
    verb = kind.verb(task, spec.used.model, spec.used.pin)
    assert verb is not None  # the plan trains only what can be asked
    by_id = {sample.id: sample for sample in samples}
    prompts = [kind.ask(task, sample, ()) for sample in samples]

    def score() -> float:
        tally = Tally(metric)
        given = {
            answer.sample_id: answer
            for answer in kind.answers[verb](backend, prompts, task, None, frozenset())
        }
        for name in sorted(given):  # in the same order whatever the order of the answers
            tally.add(by_id[name], given[name])
        return tally.values()[chosen_by.score]

    return Judge(score=score, lower_is_better=metric.better == "lower")


def contributes(finished: Finished) -> Contribution:
    """Return the loss curve, the costs of training, and notes on samples that were shortened or left out."""
    trained = read_json(finished.folder / TRAINED)
    size = (finished.folder / ADAPTER / WEIGHTS).stat().st_size
    points = tuple(
        Point(
            step=int(point["step"]),
            loss=point.get("loss"),
            validation_loss=point.get("validation_loss"),
            learning_rate=point.get("learning_rate"),
            validation_score=point.get("validation_score"),
        )
        for point in curve.read(finished.folder)
    )
    system = finished.system
    tried = finished.folder / COMBINATIONS
    return Contribution(
        curves=(
            Curve(
                model=system.model,
                adapter=system.adapter or "",
                points=points,
                chosen_by=trained.get("chosen_by"),
            ),
        ),
        halvings=(
            Halved(
                model=system.model,
                adapter=system.adapter or "",
                combinations=tuple(from_json(Combination, line) for line in read_json(tried)),
                chosen_by=trained.get("chosen_by"),
            ),
        )
        if tried.is_file()
        else (),
        costs=(
            finished.cost("training time", "s", trained["seconds"]),
            finished.cost("trainable parameters", "parameters", trained["trainable_parameters"]),
            finished.cost("adapter size", "MB", size / 1e6),
            finished.peak_memory(),
        ),
        notes=tuple(_notes(finished, trained)),
    )


def _notes(finished: Finished, trained: Mapping[str, Any]) -> Iterator[Note]:
    where, shortened, skipped = finished.where, trained["truncated"], len(trained["skipped"])
    # Steps of earlier versions counted only what they saw over all epochs.
    examples = trained.get("examples", max(trained["samples_seen"], shortened))
    if shortened:
        detail = "training prompts whose input was shortened to fit"
        yield Note(kind="training truncated", where=where, count=shortened, of=examples, detail=detail)
    planned = trained.get("planned", 0)  # 0: an earlier version's, which took all steps
    if planned and trained["steps"] < planned:
        detail = f"optimiser steps that were taken, then the recipe's patience was over; step {trained['best_step']} is kept"
        yield Note(
            kind="training ended early", where=where, count=trained["steps"], of=planned, detail=detail
        )
    if trained.get("endless"):
        end = f"with the stop string {trained['stop']!r}" if trained["stop"] else "without any mark"
        detail = f"training examples that end {end}: the model has no end-of-sequence token"
        yield Note(kind=NO_END, where=where, count=examples, of=examples, detail=detail)
    if unseen := trained.get("unseen"):
        yield Note(
            kind="labels not trained",
            where=where,
            count=len(unseen),
            of=trained["labels"],
            detail=f"labels without a training example: {', '.join(unseen)}",
        )
    if skipped:
        yield Note(
            kind="training skipped",
            where=where,
            count=skipped,
            of=examples + skipped,
            detail="training samples that do not fit max_tokens",
            samples=tuple(trained["skipped"][:FIRST]),
        )
