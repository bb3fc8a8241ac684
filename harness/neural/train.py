"""Trains LoRA factors on a frozen base: batches of like lengths, loss on the answers, the best checkpoint by validation.

Everything that chance decides is a function of the seed and the step: the factors' first values, the order of the
samples, what dropout drops. So a checkpoint needs no random state, and a resumed run equals one that never stopped.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from transformers.modeling_layers import GradientCheckpointingLayer

from harness.digest import digest
from harness.errors import ModelError, StepError
from harness.neural import lora
from harness.neural.decode import decoder_start
from harness.neural.encode import Pair, pair
from harness.neural.load import Base
from harness.types import Overflow, Prompt, Recipe

POOL = 16  # batches that are sorted by length together: little padding, and still a random order
CHECKPOINT_SECONDS = 30.0  # what a kill can cost
IGNORED = -100  # the label of what has no loss
VALIDATION_TOKENS = 8192  # per forward pass


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
    if base.dtype == torch.float16:
        raise ModelError(
            f"{base.name}: gradients underflow in float16; train with dtype: bfloat16 or float32"
        )
    pairs = [_pair(base, example, recipe) for example in examples]
    chosen = [one for one in pairs if one is not None]
    checks = [one for example in validation if (one := _pair(base, example, recipe)) is not None]
    if not chosen:
        raise StepError(
            f"none of {len(examples)} training examples fits max_tokens: {recipe.max_tokens}; raise it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    steps = recipe.steps or math.ceil((recipe.epochs or 1.0) * len(chosen) / recipe.batch_size)
    with _attached(base, recipe, seed) as model:
        run = _Run(base, model, recipe, seed, folder, steps)
        run.resume()
        run.train(chosen, checks, progress)
        lora.save(model, base, folder / "adapter", run.best)
    result = Trained(
        steps=steps,
        best_step=run.at.best_step,
        best_validation_loss=run.at.best_loss if checks else None,
        seconds=run.at.seconds,
        trainable_parameters=sum(parameter.numel() for parameter in run.parameters),
        samples_seen=run.at.samples_seen,
        truncated=sum(one.truncated_tokens > 0 for one in chosen),
        skipped=tuple(example.id for example, one in zip(examples, pairs, strict=True) if one is None),
    )
    run.checkpoint.unlink(missing_ok=True)
    return result


class _Run:
    """One training: the factors, their optimiser, and the checkpoint that outlives a kill."""

    def __init__(
        self, base: Base, model: PeftModel, recipe: Recipe, seed: int, folder: Path, steps: int
    ) -> None:
        self.base, self.model, self.recipe, self.seed, self.steps = base, model, recipe, seed, steps
        self.checkpoint = folder / "checkpoint.safetensors"
        self.curve = folder / "curve.jsonl"
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.at = Progress()
        self.best: dict[str, torch.Tensor] | None = None

    def train(
        self, pairs: Sequence[Pair], checks: Sequence[Pair], progress: Callable[[int, int], None]
    ) -> None:
        saved = begun = time.monotonic()
        before = self.at.seconds
        progress(self.at.step, self.steps)
        with self.curve.open("a", encoding="utf-8") as curve:
            for step in range(self.at.step + 1, self.steps + 1):
                batch = batch_at(step, [one.tokens for one in pairs], self.recipe.batch_size, self.seed)
                loss = self.learn(step, [pairs[at] for at in batch])
                measured = (
                    self.measure(step, checks) if step in validation_steps(self.steps, self.recipe) else None
                )
                self.at.step = step
                self.at.samples_seen += len(batch)
                self.at.seconds = before + time.monotonic() - begun
                point = {
                    "step": step,
                    "loss": loss,
                    "learning_rate": self.rate(step),
                    "seconds": self.at.seconds,
                }
                if measured is not None:
                    point["validation_loss"] = measured
                curve.write(json.dumps(point) + "\n")
                if step < self.steps and (
                    measured is not None or time.monotonic() - saved > CHECKPOINT_SECONDS
                ):
                    curve.flush()
                    self.save()
                    saved = time.monotonic()
                progress(step, self.steps)
        if self.best is None:
            self.at.best_step, self.best = self.steps, lora.factors(self.model)

    def learn(self, step: int, batch: Sequence[Pair]) -> float:
        """One optimiser step; the mean loss over the batch's answer tokens."""
        torch.manual_seed(int(digest("dropout", self.seed, step)[:15], 16))
        _dropout(self.model, on=True)
        answer_tokens = sum(len(one.answer) for one in batch)
        size = self.recipe.micro_batch_size or len(batch)
        total = 0.0
        for start in range(0, len(batch), size):
            loss = summed_loss(self.base, batch[start : start + size]) / answer_tokens
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm).item()
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise StepError(
                f"training step {step} of {self.steps}: loss {total}, gradient norm {norm} on samples "
                f"{', '.join(one.sample_id for one in batch)}; lower learning_rate, or look at these samples"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def measure(self, step: int, checks: Sequence[Pair]) -> float | None:
        """Mean loss over the validation answers' tokens; the factors are kept where it is the lowest so far."""
        if not checks:
            return None
        _dropout(self.model, on=False)
        with torch.no_grad():
            total = sum(summed_loss(self.base, batch).item() for batch in _by_length(checks))
        loss = total / sum(len(one.answer) for one in checks)
        if not math.isfinite(loss):
            raise StepError(
                f"training step {step} of {self.steps}: validation loss is {loss}; lower learning_rate"
            )
        if loss < self.at.best_loss:
            self.at.best_step, self.at.best_loss, self.best = step, loss, lora.factors(self.model)
        return loss

    def rate(self, step: int) -> float:
        return self.recipe.learning_rate * schedule(step, self.steps, self.recipe)

    def save(self) -> None:
        """One file, replaced by one rename: tensors by name, and numbers as JSON in its header."""
        tensors = {f"adapter.{name}": tensor for name, tensor in lora.factors(self.model).items()}
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
            lora.put(self.model, parts["adapter"])
            self.best = parts["best"] or None
            state: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in parts["optimizer"].items():
                index, _, key = name.partition(".")
                state.setdefault(int(index), {})[key] = tensor
            self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})
        with self.curve.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines[: self.at.step])


def summed_loss(base: Base, batch: Sequence[Pair]) -> torch.Tensor:  # nats, float32 scalar
    """Negative log-likelihood of the answers, summed over their tokens. Logits exist only where an answer is."""
    with torch.autocast(base.device.type, torch.bfloat16, enabled=base.dtype == torch.bfloat16):
        logits, labels = (_seq2seq if base.seq2seq else _causal)(base, batch)
    return cross_entropy(logits.float(), labels, reduction="sum")


def _causal(base: Base, batch: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [answer tokens, vocabulary] and the tokens that follow.

    Rows are filled up on the right, where no token of theirs looks: no mask is needed.
    """
    ids = _filled(base, [one.prompt + one.answer for one in batch], base.pad)
    asked = torch.zeros_like(ids, dtype=torch.bool)  # [rows, tokens]: the next token is the answer's
    for row, one in enumerate(batch):
        asked[row, len(one.prompt) - 1 : one.tokens - 1] = True
    logits = base.model(input_ids=ids, use_cache=False, logits_to_keep=asked).logits
    if logits.ndim == 3:  # a class that knows no logits_to_keep gave them all
        logits = logits[asked]
    return logits, ids.roll(-1, dims=1)[asked]


def _seq2seq(base: Base, batch: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [answer tokens, vocabulary] and those tokens; the decoder reads the answer one token late."""
    prompts = _filled(base, [one.prompt for one in batch], base.pad)
    seen = _filled(base, [(1,) * len(one.prompt) for one in batch], 0)
    labels = _filled(base, [one.answer for one in batch], IGNORED)
    asked = labels != IGNORED
    start = decoder_start(base)
    read = _filled(base, [(start, *one.answer[:-1]) for one in batch], base.pad)
    logits = base.model(
        input_ids=prompts, attention_mask=seen, decoder_input_ids=read, use_cache=False
    ).logits
    return logits[asked], labels[asked]


def _filled(base: Base, rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:  # int64 [rows, longest]
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], device=base.device)


def batch_at(step: int, tokens: Sequence[int], batch_size: int, seed: int) -> list[int]:
    """Positions of the samples of a step (1, 2, ...); every epoch sees each sample once, in an order of its own."""
    per_epoch = math.ceil(len(tokens) / batch_size)
    epoch, at = divmod(step - 1, per_epoch)
    return order(tokens, batch_size, seed, epoch)[at]


def order(tokens: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Batches of samples of about one length, in random order."""
    random = Random(f"{seed}-{epoch}")
    samples = list(range(len(tokens)))
    random.shuffle(samples)
    batches: list[list[int]] = []
    for start in range(0, len(samples), POOL * batch_size):
        pool = sorted(samples[start : start + POOL * batch_size], key=lambda sample: tokens[sample])
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    random.shuffle(batches)
    return batches


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


def _by_length(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    ordered = sorted(pairs, key=lambda one: -one.tokens)
    while ordered:
        count = max(1, VALIDATION_TOKENS // ordered[0].tokens)
        yield ordered[:count]
        ordered = ordered[count:]


def _pair(base: Base, example: Example, recipe: Recipe) -> Pair | None:
    return pair(base, example.prompt, example.answer, example.overflow, recipe.max_tokens)


def _dropout(model: PeftModel, *, on: bool) -> None:
    """Dropout of the factors alone; peft keeps it in modules whose name says so."""
    for name, module in model.named_modules():
        if "lora_dropout" in name:
            module.train(on)


@contextmanager
def _attached(base: Base, recipe: Recipe, seed: int) -> Iterator[PeftModel]:
    """New factors on the base; afterwards the base is what it was."""
    model = lora.attach(base, recipe, seed)
    layers = [layer for layer in base.model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    try:
        model.eval()
        if recipe.gradient_checkpointing:
            base.model.activation_checkpointing_enable({"use_reentrant": False})
            for layer in layers:
                layer.training = (
                    True  # else transformers keeps all activations; its children stay as they are
                )
        with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
            yield model
    finally:
        if recipe.gradient_checkpointing:
            base.model.activation_checkpointing_disable()  # type: ignore[no-untyped-call]
        lora.detach(model)
        base.model.eval()  # type: ignore[no-untyped-call]
