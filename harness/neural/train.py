"""Trains LoRA factors on a frozen base: batches of like lengths, loss on the answers, the best checkpoint by validation.

Everything that chance decides is a function of the seed and the step: the factors' first values, the order of the
samples, what dropout drops. So a checkpoint needs no random state, and a resumed run equals one that never stopped.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator, DistributedType
from safetensors import safe_open
from safetensors.torch import save_file
from transformers.modeling_layers import GradientCheckpointingLayer

from harness.digest import digest
from harness.errors import ModelError, StepError
from harness.neural import lora
from harness.neural.batches import batches_from, by_length
from harness.neural.curve import FILE as CURVE
from harness.neural.encode import Pair, ahead, pair
from harness.neural.kernels import quick, quick_attention
from harness.neural.load import Base
from harness.neural.loss import summed_loss
from harness.neural.precision import computing_in
from harness.types import Overflow, Prompt, Recipe

if TYPE_CHECKING:
    from harness.neural.factors import Factors
    from harness.neural.peft_lora import PeftFactors

CHECKPOINT_SECONDS = 30.0  # what a kill can cost
WAYS = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)  # the last two are DDP


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt and the answer to learn."""

    id: str
    prompt: Prompt
    answer: str
    overflow: Overflow = "keep-start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How a training went."""

    steps: int
    best_step: int  # whose factors were kept
    best_validation_loss: float | None  # nats per answer token; None without validation samples
    seconds: float  # of training itself, interrupted tries included
    trainable_parameters: int
    samples_seen: int
    truncated: int  # examples whose input was shortened
    skipped: tuple[str, ...]  # ids of examples that do not fit even so


@dataclass(slots=True)
class Progress:
    """Where a run stands, as its checkpoint keeps it."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0
    samples_seen: int = 0


def train(
    base: Base,
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    seed: int,
    folder: Path,  # gets adapter/ and curve.jsonl; checkpoint.safetensors while it runs
    progress: Callable[[int, int], None] = lambda step, steps: None,
) -> Trained:
    """Trains an adapter, or goes on where the folder's checkpoint left off. The base is the same afterwards.

    Dropout is the recipe's alone: the base stays in evaluation mode, whatever dropout it was pretrained with.
    """
    pairs = list(_pairs(base, examples, recipe))
    chosen = [one for one in pairs if one is not None]
    checks = [one for one in _pairs(base, validation, recipe) if one is not None]
    if not chosen:
        raise StepError(
            f"none of {len(examples)} training examples fits max_tokens: {recipe.max_tokens}; raise it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    steps = recipe.steps or math.ceil((recipe.epochs or 1.0) * len(chosen) / recipe.batch_size)
    with _attached(base, recipe, seed) as attached:
        run = _Run(base, attached, recipe, seed, folder, steps)
        run.resume()
        run.train(chosen, checks, progress)
        if run.first:
            lora.save(attached, base, folder / "adapter", run.best)
            run.checkpoint.unlink(missing_ok=True)
    return Trained(
        steps=steps,
        best_step=run.at.best_step,
        best_validation_loss=run.at.best_loss if checks else None,
        seconds=run.at.seconds,
        trainable_parameters=sum(parameter.numel() for parameter in run.parameters),
        samples_seen=run.at.samples_seen,
        truncated=sum(one.truncated_tokens > 0 for one in chosen),
        skipped=tuple(example.id for example, one in zip(examples, pairs, strict=True) if one is None),
    )


class _Run:
    """One training: the factors, their optimiser, and the checkpoint that outlives a kill.

    Under `accelerate launch` each process learns from rows of its own of every batch, and the first one writes.
    """

    def __init__(
        self,
        base: Base,
        attached: "Factors | PeftFactors",
        recipe: Recipe,
        seed: int,
        folder: Path,
        steps: int,
    ) -> None:
        self.base, self.attached, self.recipe, self.seed, self.steps = base, attached, recipe, seed, steps
        self.checkpoint = folder / "checkpoint.safetensors"
        self.curve = folder / CURVE
        self.parameters = attached.parameters
        # The weights have been cast already, so that mixed precision has nothing left to do.
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
        self.at = Progress()
        self.best: dict[str, torch.Tensor] | None = None

    def train(
        self, pairs: Sequence[Pair], checks: Sequence[Pair], progress: Callable[[int, int], None]
    ) -> None:
        saved = begun = time.monotonic()
        before = self.at.seconds
        measuring = validation_steps(self.steps, self.recipe)
        batches = batches_from(
            self.at.step + 1, [one.tokens for one in pairs], self.recipe.batch_size, self.seed
        )
        progress(self.at.step, self.steps)
        with self.curve.open("a", encoding="utf-8") if self.first else nullcontext() as curve:
            for step in range(self.at.step + 1, self.steps + 1):
                batch = next(batches)
                loss = self.learn(step, [pairs[at] for at in batch])
                measured = self.measure(step, checks) if step in measuring else None
                self.at.step = step
                self.at.samples_seen += len(batch)
                self.at.seconds = before + time.monotonic() - begun
                if curve is not None:
                    curve.write(self.point(step, loss, measured))
                    if step < self.steps and (
                        measured is not None or time.monotonic() - saved > CHECKPOINT_SECONDS
                    ):
                        curve.flush()
                        self.save()
                        saved = time.monotonic()
                progress(step, self.steps)
        if self.best is None:
            self.at.best_step, self.best = self.steps, lora.factors(self.attached)

    def point(self, step: int, loss: float, measured: float | None) -> str:
        """A line of the curve."""
        point = {"step": step, "loss": loss, "learning_rate": self.rate(step), "seconds": self.at.seconds}
        if measured is not None:
            point["validation_loss"] = measured
        return json.dumps(point) + "\n"

    def learn(self, step: int, batch: Sequence[Pair]) -> float:
        """One optimiser step; the mean loss over the batch's answer tokens."""
        torch.manual_seed(int(digest("dropout", self.seed, step)[:15], 16))
        self.attached.drop(True)
        total = torch.zeros((), device=self.base.device)
        for last, rows, share in self.parts(batch):
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = summed_loss(self.base, rows, self.model) * share
                # Of several processes' gradients the mean is taken.
                self.accelerator.backward(loss * self.accelerator.num_processes)
                total += loss.detach()
        mean = float(self.accelerator.reduce(total, "sum"))
        norm = float(self.accelerator.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm))
        if not (math.isfinite(mean) and math.isfinite(norm)):
            remedy = "lower learning_rate, or look at these samples"
            if step == 1 and not math.isfinite(mean):  # the factors change nothing yet
                remedy = f"so are {self.base.name}'s own logits: look for such weights with `harness weigh`"
            raise StepError(
                f"training step {step} of {self.steps}: loss {mean}, gradient norm {norm} on samples "
                f"{', '.join(one.sample_id for one in batch)}; {remedy}"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return mean

    def parts(self, batch: Sequence[Pair]) -> Iterator[tuple[bool, Sequence[Pair], float]]:
        """What goes through the model at once: whether it is the last, its rows, and what their loss is multiplied by."""
        share = 1.0 / sum(len(one.answer) for one in batch)
        own = batch[self.accelerator.process_index :: self.accelerator.num_processes]
        if not own:  # the others wait for this process in the way back
            own, share = batch[:1], 0.0
        size = self.recipe.micro_batch_size or len(own)
        for start in range(0, len(own), size):
            yield start + size >= len(own), own[start : start + size], share

    def measure(self, step: int, checks: Sequence[Pair]) -> float | None:
        """Mean loss over the validation answers' tokens; the factors are kept where it is the lowest so far."""
        if not checks:
            return None
        self.attached.drop(False)
        with torch.no_grad():
            total = sum(summed_loss(self.base, batch).item() for batch in by_length(checks))
        loss = total / sum(len(one.answer) for one in checks)
        if not math.isfinite(loss):
            raise StepError(
                f"training step {step} of {self.steps}: validation loss is {loss}; lower learning_rate"
            )
        if loss < self.at.best_loss:
            self.at.best_step, self.at.best_loss, self.best = step, loss, lora.factors(self.attached)
        return loss

    def rate(self, step: int) -> float:
        return self.recipe.learning_rate * schedule(step, self.steps, self.recipe)

    def save(self) -> None:
        """One file, replaced by one rename: tensors by name, and numbers as JSON in its header."""
        tensors = {f"adapter.{name}": tensor for name, tensor in lora.factors(self.attached).items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor.cpu() for name, tensor in state.items()}
        beside = self.checkpoint.with_suffix(".new")
        save_file(tensors, beside, metadata={"progress": json.dumps(asdict(self.at))})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(self.checkpoint)

    def resume(self) -> None:
        """Takes up the checkpoint, and cuts the curve back to it."""
        lines = self.curve.read_text(encoding="utf-8").splitlines() if self.curve.exists() else []
        if self.checkpoint.exists():
            with safe_open(self.checkpoint, framework="pt") as file:
                self.at = Progress(**json.loads(file.metadata()["progress"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            parts: dict[str, dict[str, torch.Tensor]] = {"adapter": {}, "best": {}, "optimizer": {}}
            for name, tensor in tensors.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = tensor
            self.attached.put(parts["adapter"])
            self.best = parts["best"] or None
            state: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in parts["optimizer"].items():
                index, _, key = name.partition(".")
                state.setdefault(int(index), {})[key] = tensor
            self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})
        self.accelerator.wait_for_everyone()
        if self.first:
            with self.curve.open("w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines[: self.at.step])


def schedule(step: int, steps: int, recipe: Recipe) -> float:
    """Share of the learning rate at a step (1 ... steps): a line up, then as the recipe says, to zero after the last."""
    warmup = round(recipe.warmup * steps)
    if step <= warmup:
        return step / warmup
    left = (steps + 1 - step) / (steps + 1 - warmup)
    if recipe.schedule == "cosine":
        return 0.5 * (1.0 - math.cos(math.pi * left))
    return left if recipe.schedule == "linear" else 1.0


def validation_steps(steps: int, recipe: Recipe) -> set[int]:
    """Evenly spread over the run; the last step is one of them."""
    count = max(1, min(recipe.validations, steps))
    return {round(steps * nth / count) for nth in range(1, count + 1)}


def _pairs(base: Base, examples: Sequence[Example], recipe: Recipe) -> Iterator[Pair | None]:
    prompts = ahead(base, (example.prompt for example in examples))
    for example, prompt in zip(examples, prompts, strict=True):
        yield pair(base, prompt, example.answer, example.overflow, recipe.max_tokens)


@contextmanager
def _attached(base: Base, recipe: Recipe, seed: int) -> Iterator["Factors | PeftFactors"]:
    """New factors on the base, and the base made ready to train them; afterwards it is what it was."""
    with ExitStack() as changed:
        dtype = changed.enter_context(computing_in(base, recipe.precision))
        if dtype == torch.float16:
            raise ModelError(
                f"{base.name}: gradients underflow in float16; train with precision: bfloat16 or float32"
            )
        attached = lora.attach(base, recipe, seed)
        changed.callback(lora.detach, attached)
        changed.enter_context(quick(base.model, base.device))
        changed.enter_context(quick_attention(base.device, dtype))
        if recipe.gradient_checkpointing:
            changed.enter_context(_checkpointing(base))
        changed.enter_context(
            torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else [])
        )
        yield attached


@contextmanager
def _checkpointing(base: Base) -> Iterator[None]:
    """Activations of a layer are computed again on the way back instead of kept."""
    layers = [layer for layer in base.model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    base.model.activation_checkpointing_enable({"use_reentrant": False})
    # What it does to the embedding only the other kind needs, and `disable` leaves it.
    base.model.disable_input_require_grads()  # type: ignore[no-untyped-call]
    try:
        for layer in layers:
            layer.training = True  # else transformers keeps all activations; its children stay as they are
        yield
    finally:
        base.model.activation_checkpointing_disable()  # type: ignore[no-untyped-call]
        base.model.eval()  # type: ignore[no-untyped-call]
