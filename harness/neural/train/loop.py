"""The training loop: optimiser steps, validation, the curve, and a checkpoint that survives a kill."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedType

from harness.digest import digest
from harness.errors import Diverged, StepError
from harness.neural.curve import FILE as CURVE
from harness.neural.load import Base
from harness.neural.lora.factors import AttachedLora
from harness.neural.objectives import Item, Objective
from harness.neural.rungs import validation_steps
from harness.neural.train import checkpoint
from harness.neural.train.batches import batches_from, by_length
from harness.neural.train.checkpoint import RunState, TrainingCheckpoint
from harness.neural.train.schedule import schedule
from harness.types import Recipe

Progress = Callable[
    [int, int, float | None], None
]  # step, steps, loss of the step's batch (None before the first)

CHECKPOINT_SECONDS = 30.0  # a kill loses at most this time, and a step
WAYS = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)  # the last two are DDP


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What chooses the checkpoint in place of the validation loss."""

    # The score of the validation samples, by the base with the factors that are attached to it.
    score: Callable[[], float]
    lower_is_better: bool = False


class Training:
    """A training run: the factors, their optimiser, and the checkpoint that survives a kill.

    Under `accelerate launch` each process learns from its own rows of every batch, and the first process writes.
    """

    def __init__(
        self,
        base: Base,
        attached: AttachedLora,
        recipe: Recipe,
        objective: Objective,
        settings: Any,  # the objective's; for an objective with a head, the head
        seed: int,
        folder: Path,
        steps: int,
        judge: Judge | None = None,
        begun: bool = False,  # whether the factors are those of an earlier training, which is then the reference
    ) -> None:
        self.judge, self.begun = judge, begun
        self.objective, self.settings = objective, settings
        self.reference = attached.off if objective.needs_reference else None
        self.base, self.attached, self.recipe, self.seed, self.steps = base, attached, recipe, seed, steps
        self.checkpoint = folder / "checkpoint.safetensors"
        self.curve = folder / CURVE
        self.parameters = attached.parameters
        # The weights have been cast already, so mixed precision is not needed.
        self.accelerator = Accelerator(cpu=base.device.type == "cpu", mixed_precision="no")
        if self.accelerator.distributed_type not in WAYS:
            raise StepError(
                f"training under {self.accelerator.distributed_type.value} is not supported; use DDP"
            )
        self.first = self.accelerator.is_main_process
        self.model = self.accelerator.prepare_model(base.model, device_placement=False)
        self.optimizer = self.accelerator.prepare_optimizer(
            torch.optim.AdamW(
                self.parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
            ),
            device_placement=False,
        )
        self.at = RunState()
        self.best: dict[str, torch.Tensor] | None = None

    def train(
        self, items: Sequence[Item], checks: Sequence[Item], progress: Progress, until: int | None = None
    ) -> None:
        """Take the remaining steps, with validation, the curve and checkpoints; `until`: those up to this step alone."""
        saved = begun = time.monotonic()
        before = self.at.seconds
        measuring = validation_steps(self.steps, self.recipe)
        sizes = [self.objective.size(item) for item in items]
        batches = batches_from(self.at.step + 1, sizes, self.recipe.batch_size, self.seed)
        progress(self.at.step, self.steps, None)
        with self.curve.open("a", encoding="utf-8") if self.first else nullcontext() as curve:
            for step in range(self.at.step + 1, (self.steps if until is None else until) + 1):
                if self.at.ended:
                    break
                batch = next(batches)
                loss = self.learn(step, [items[at] for at in batch])
                measured = self.measure(step, checks) if step in measuring else {}
                self.at.step = step
                self.at.samples_seen += len(batch)
                self.at.seconds = before + time.monotonic() - begun
                if curve is not None:
                    curve.write(self.point(step, loss, measured))
                    if step < self.steps and (measured or time.monotonic() - saved > CHECKPOINT_SECONDS):
                        curve.flush()
                        self.save()
                        saved = time.monotonic()
                progress(step, self.steps, loss)
        if self.best is None and until in (None, self.steps):
            self.at.best_step, self.best = self.steps, self.attached.tensors()

    @torch.no_grad()
    def referred(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items with what the reference says of them, where the objective asks for that; each is asked once.

        The reference is the base, or the adapter that training begins with, whose factors are still attached unchanged.
        Batches depend on the items alone, so a resumed run gets the same bits.
        """
        refer = self.objective.refer
        if refer is None or not items:
            return items
        found: dict[int, Item] = {}
        places = by_length(range(len(items)), lambda at: self.objective.size(items[at]))
        with nullcontext() if self.begun else self.attached.off():
            for batch in places:
                said = refer(self.base, [items[at] for at in batch], self.settings)
                found.update(zip(batch, said, strict=True))
        return [found[at] for at in range(len(items))]

    def point(self, step: int, loss: float, measured: Mapping[str, float]) -> str:
        """Return a line of the curve."""
        point = {"step": step, "loss": loss, "learning_rate": self.rate(step), "seconds": self.at.seconds}
        return json.dumps({**point, **measured}) + "\n"

    def learn(self, step: int, batch: Sequence[Item]) -> float:
        """Take one optimiser step, and return the batch's mean loss."""
        torch.manual_seed(int(digest("dropout", self.seed, step)[:15], 16))
        self.attached.drop(True)
        total = torch.zeros((), device=self.base.device)
        for last, rows, share in self.parts(batch):
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = self.loss(rows, self.model) * share
                # The gradients of several processes are averaged.
                self.accelerator.backward(loss * self.accelerator.num_processes)
                total += loss.detach()
        mean = float(self.accelerator.reduce(total, "sum"))
        norm = float(self.accelerator.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm))
        if not (math.isfinite(mean) and math.isfinite(norm)):
            remedy = "lower learning_rate, or look at these samples"
            if step == 1 and not math.isfinite(mean) and not self.begun:  # the factors have no effect yet
                remedy = f"{self.base.name}'s own logits are not finite: look for such weights with `harness weigh`"
            raise Diverged(
                f"training step {step} of {self.steps}: loss {mean}, gradient norm {norm}",
                f" on samples {', '.join(item.sample_id for item in batch)}; {remedy}",
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        self.optimizer.step()
        self.attached.stepped(step)
        self.optimizer.zero_grad(set_to_none=True)
        return mean

    def loss(self, items: Sequence[Item], model: Any) -> torch.Tensor:
        """Return the summed loss of some items, computed by `model`: the base's own or its wrapper for several processes."""
        return self.objective.loss(self.base, items, self.settings, model, self.reference)

    def weight(self, items: Sequence[Item]) -> float:
        """Return the summed weight of some items, which their summed loss is divided by."""
        return sum(map(self.objective.weight, items))

    def parts(self, batch: Sequence[Item]) -> Iterator[tuple[bool, Sequence[Item], float]]:
        """Yield the parts of a batch that share a forward pass: whether it is the last, its rows, and its loss's factor."""
        share = 1.0 / self.weight(batch)
        own = batch[self.accelerator.process_index :: self.accelerator.num_processes]
        if not own:  # the other processes wait for this one in the backward pass
            own, share = batch[:1], 0.0
        size = self.recipe.micro_batch_size or len(own)
        for start in range(0, len(own), size):
            yield start + size >= len(own), own[start : start + size], share

    def measure(self, step: int, checks: Sequence[Item]) -> dict[str, float]:
        """Return the mean loss of the validation items, and their score; keep the factors where they are the best so far."""
        if not checks:
            return {}
        self.attached.drop(False)
        with torch.no_grad():
            total = sum(
                self.loss(batch, self.base.model).item() for batch in by_length(checks, self.objective.size)
            )
        loss = total / self.weight(checks)
        if not math.isfinite(loss):
            raise Diverged(
                f"training step {step} of {self.steps}: validation loss is {loss}", "; lower learning_rate"
            )
        score = None if self.judge is None else self.judge.score()
        if self.is_better(loss, score):
            self.at.best_step, self.at.best_loss, self.at.best_score = step, loss, score
            self.at.stale, self.best = 0, self.attached.tensors()
        else:
            self.at.stale += 1
            self.at.ended = self.at.stale == self.recipe.patience
        return {"validation_loss": loss, **({} if score is None else {"validation_score": score})}

    def is_better(self, loss: float, score: float | None) -> bool:
        """Return whether a measurement is better than the best so far; of two equal scores, that with the lower loss is."""
        best = self.at.best_score
        if self.judge is None or score is None or score == best:
            return loss < self.at.best_loss
        if math.isnan(score) or best is None:
            return best is None and not math.isnan(score)
        return score < best if self.judge.lower_is_better else score > best

    def rate(self, step: int) -> float:
        """Return the learning rate at a step."""
        return self.recipe.learning_rate * schedule(step, self.steps, self.recipe)

    def save(self) -> None:
        """Write a checkpoint; a kind of adapter with a state of its own begins again after a kill."""
        if not self.attached.resumable:
            return
        state = TrainingCheckpoint(
            state=self.at,
            adapter=self.attached.tensors(),
            best=self.best,
            optimizer=self.optimizer.state_dict()["state"],
        )
        checkpoint.write(self.checkpoint, state)

    def resume(self) -> None:
        """Continue from the checkpoint, where there is one, and cut the curve back to it."""
        self.accelerator.wait_for_everyone()  # the first process may still write it
        lines = self.curve.read_text(encoding="utf-8").splitlines() if self.curve.exists() else []
        if self.checkpoint.exists():
            found = checkpoint.read(self.checkpoint)
            self.at = found.state
            self.attached.put(found.adapter)
            self.best = dict(found.best) if found.best else None
            self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": found.optimizer})
        self.accelerator.wait_for_everyone()
        if self.first:
            with self.curve.open("w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines[: self.at.step])
