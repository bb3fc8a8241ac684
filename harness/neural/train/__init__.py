"""Training of LoRA factors on a frozen base: batches of similar lengths, and the best checkpoint by validation.

Everything random is a function of the seed and the step: the factors' first values, the order of the samples, dropout.
So a checkpoint needs no random state, and a resumed run equals a run that was never interrupted.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import StepError
from harness.neural import lora, objectives
from harness.neural.encode import ahead
from harness.neural.load import Base
from harness.neural.lora.heads import folded
from harness.neural.objectives import Example, Item, Objective
from harness.neural.train.loop import Judge, Progress, Training
from harness.neural.train.prepare import prepared
from harness.types import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The outcome of a training run."""

    steps: int  # those that were taken
    best_step: int  # the step whose factors were kept
    best_validation_loss: float | None  # None without validation samples
    loss_unit: str
    seconds: float  # of training itself, including interrupted attempts
    trainable_parameters: int
    samples_seen: int  # over all steps: an example counts each time that it is seen
    examples: int  # different examples that fit, seen or not
    truncated: int  # examples whose input was shortened
    skipped: tuple[str, ...]  # ids of examples that are too long even when shortened
    unseen: tuple[str, ...] = ()  # labels that no example has
    planned: int = 0  # steps of the recipe: more than were taken where its patience ended the training


def train(
    base: Base,
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    seed: int,
    folder: Path,  # gets adapter/ and curve.jsonl; checkpoint.safetensors while it runs
    progress: Progress = lambda step, steps, loss: None,
    judge: Judge | None = None,  # chooses the checkpoint in place of the validation loss
    start: Path
    | None = None,  # the folder of the adapter that training begins with; None: it begins at the base
) -> Trained:
    """Train an adapter, or continue from the checkpoint in the folder. The base is the same afterwards.

    Only the recipe's dropout is used: the base stays in evaluation mode, whatever dropout it was pretrained with.
    """
    if reason := objectives.unfit(recipe, base.architecture):
        raise StepError(
            f"recipe {recipe.name}: {base.name}: {reason}; leave `objective` out, or name one that suits"
        )
    objective, settings = objectives.of(recipe, base.architecture)
    if start is not None and objective.needs_reference and objective.refer is None:
        raise StepError(
            f"recipe {recipe.name}: objective {objective.name!r} asks the base at every step, and not the adapter that "
            "training starts from; leave `start` out"
        )
    items = list(_encoded(base, objective, examples, recipe))
    chosen = [item for item in items if item is not None]
    checks = [item for item in _encoded(base, objective, validation, recipe) if item is not None]
    if not chosen:
        raise StepError(
            f"none of {len(examples)} training examples fits max_tokens: {recipe.max_tokens}; raise it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    steps = recipe.steps or math.ceil((recipe.epochs or 1.0) * len(chosen) / recipe.batch_size)
    fitting = [example for example, item in zip(examples, items, strict=True) if item is not None]
    head = objective.head(fitting) if objective.head else None
    with prepared(base, replace(recipe, steps=steps, epochs=None), seed, head) as attached:
        if start is not None:
            lora.begin(attached, base, start, head)
        run = Training(
            base, attached, recipe, objective, settings if head is None else head, seed, folder, steps, judge,
            begun=start is not None,
        )  # fmt: skip
        learned, checked = run.referred(chosen), run.referred(checks)  # before a checkpoint moves the factors
        run.resume()
        run.train(learned, checked, progress)
        if run.first:
            best = run.best or attached.tensors()
            labels = None if head is None else head.labels
            lora.save(attached, base, folder / "adapter", folded(base, best, head), labels)
            run.checkpoint.unlink(missing_ok=True)
    return Trained(
        steps=run.at.step,
        planned=steps,
        best_step=run.at.best_step,
        best_validation_loss=run.at.best_loss if checks else None,
        loss_unit=objective.unit,
        seconds=run.at.seconds,
        trainable_parameters=sum(parameter.numel() for parameter in run.parameters),
        samples_seen=run.at.samples_seen,
        examples=len(chosen),
        truncated=sum(item.truncated_tokens > 0 for item in chosen),
        skipped=tuple(example.id for example, item in zip(examples, items, strict=True) if item is None),
        unseen=head.unseen if head else (),
    )


def _encoded(
    base: Base, objective: Objective, examples: Sequence[Example], recipe: Recipe
) -> Iterator[Item | None]:
    prompts = ahead(base, (example.prompt for example in examples))
    for example, _ in zip(examples, prompts, strict=True):
        yield objective.encode(base, example, recipe)
