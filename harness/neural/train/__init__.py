"""Training of LoRA factors on a frozen base: batches of similar lengths, and the best checkpoint by validation.

Everything random is a function of the seed and the step: the factors' first values, the order of the samples, dropout.
So a checkpoint needs no random state, and a resumed run equals a run that was never interrupted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.neural import lora
from harness.neural.load import Base
from harness.neural.lora.heads import folded
from harness.neural.objectives import Example
from harness.neural.train.lessons import Lessons, lessons, training
from harness.neural.train.loop import Judge, Progress, Training
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
    learnt = lessons(base, examples, validation, recipe)
    with training(learnt, recipe, seed, folder, judge, start) as run:
        learned, checked = (
            run.referred(learnt.items),
            run.referred(learnt.checks),
        )  # before a checkpoint moves the factors
        run.resume()
        run.train(learned, checked, progress)
        saved(run, learnt, folder)
        if run.first:
            run.checkpoint.unlink(missing_ok=True)
        return trained(run, learnt)


def saved(run: Training, learnt: Lessons, folder: Path) -> None:
    """Write the best checkpoint of a training as an adapter."""
    if not run.first:
        return
    best = run.best or run.attached.tensors()
    labels = None if learnt.head is None else learnt.head.labels
    lora.save(run.attached, learnt.base, folder / "adapter", folded(learnt.base, best, learnt.head), labels)


def trained(run: Training, learnt: Lessons) -> Trained:
    """Return the outcome of a training."""
    return Trained(
        steps=run.at.step,
        planned=run.steps,
        best_step=run.at.best_step,
        best_validation_loss=run.at.best_loss if learnt.checks else None,
        loss_unit=learnt.objective.unit,
        seconds=run.at.seconds,
        trainable_parameters=sum(parameter.numel() for parameter in run.parameters),
        samples_seen=run.at.samples_seen,
        examples=len(learnt.items),
        truncated=sum(item.truncated_tokens > 0 for item in learnt.items),
        skipped=learnt.skipped,
        unseen=learnt.head.unseen if learnt.head else (),
    )
