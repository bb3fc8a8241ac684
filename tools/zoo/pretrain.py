"""Trains a tiny model from random weights: one loop, seeded, with its loss curve kept."""

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tools.zoo.architectures import POOL, Architecture, Pretraining

IGNORED = -100  # the label of padding
Text = Mapping[str, str]  # prompt, answer


class Timetable(Protocol):
    """How long and how fast a model is trained."""

    @property
    def steps(self) -> int:
        """Return the number of optimiser steps."""

    @property
    def learning_rate(self) -> float:
        """Return the highest rate."""

    @property
    def warmup(self) -> float:
        """Return the share of all steps in which the rate rises."""

    @property
    def weight_decay(self) -> float:
        """Return the weight decay of matrices."""


@dataclass(frozen=True, slots=True)
class Student:
    """A model and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def seq2seq(self) -> bool:
        """Return whether the model has an encoder and a decoder."""
        return bool(self.model.config.is_encoder_decoder)


@dataclass(frozen=True, slots=True)
class Document:
    """A prompt and its answer in tokens; the answer ends with end-of-sequence."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of the loss curve."""

    step: int
    loss: float  # nats per answer token, mean since the last point
    learning_rate: float
    seconds: float
    tokens: int  # seen so far, prompts and answers


def newborn(architecture: Architecture, folder: Path) -> Student:
    """Return the family's own class with random weights in float32, and the tokenizer in the folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    token_ids = {name: getattr(tokenizer, name) for name in ("eos_token_id", "pad_token_id")}
    if architecture.model_type == "t5":
        token_ids["decoder_start_token_id"] = tokenizer.pad_token_id  # as the real one's
    else:
        token_ids["bos_token_id"] = tokenizer.convert_tokens_to_ids(
            tokenizer.bos_token or tokenizer.eos_token
        )
    torch.manual_seed(architecture.pretraining.seed)
    settings = {**architecture.config, "vocab_size": len(tokenizer), "dtype": "float32", **token_ids}
    config = AutoConfig.for_model(architecture.model_type, **settings)
    make: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = make.from_config(config)
    if config.is_encoder_decoder:
        # transformers ties a fresh T5 whatever its config says. A head of its own that starts in the embeddings'
        # directions knows nearly at birth how to copy a token; at their size, which nothing scales down
        # afterwards, its first logits would be +-11.
        model.lm_head.weight = torch.nn.Parameter(model.shared.weight.detach() * config.d_model**-0.5)
    return Student(model, tokenizer)


def load(folder: Path) -> Student:
    """Return the trained model in the folder, in float32."""
    config = AutoConfig.from_pretrained(folder)
    make: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = make.from_pretrained(folder, dtype=torch.float32)
    return Student(model, AutoTokenizer.from_pretrained(folder))


def encode(text: Text, tokenizer: PreTrainedTokenizerBase) -> Document:
    """As the harness asks: the prompt, then a blank and the answer, then end-of-sequence."""
    answer = tokenizer.encode(" " + text["answer"], add_special_tokens=False)
    return Document(tuple(tokenizer.encode(text["prompt"])), (*answer, tokenizer.eos_token_id))


def train(
    student: Student,
    texts: Iterable[Text],
    plan: Pretraining,
    progress: Callable[[Point], None],
    every: int = 50,  # steps between points of the curve
) -> list[Point]:
    """Trains the model in place; a gradient that is no number ends it with FloatingPointError."""
    torch.set_num_threads(1)  # sums in another order would give other weights
    model, pad = student.model, student.tokenizer.pad_token_id
    optimizers = make_optimizers(model, plan)
    loss_of = _seq2seq_loss if student.seq2seq else _causal_loss
    documents = (encode(text, student.tokenizer) for text in texts)
    batches = bucketed(documents, plan.batch_size, Random(plan.seed))
    curve: list[Point] = []
    started, tokens, recent = time.perf_counter(), 0, 0.0
    model.train()
    for step in range(1, plan.steps + 1):
        rate = plan.learning_rate * schedule(step, plan)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = rate * group.get("times", 1.0)
        batch = next(batches)
        loss, answer_loss = loss_of(model, batch, pad, plan.prompt_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if not math.isfinite(norm.item()):
            raise FloatingPointError(f"step {step}: the gradient is no number")
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        tokens += sum(map(len, batch))
        recent += answer_loss
        if step % every == 0 or step == plan.steps:
            mean = recent / (step % every or every)
            seconds = time.perf_counter() - started
            curve.append(Point(step=step, loss=mean, learning_rate=rate, seconds=seconds, tokens=tokens))
            recent = 0.0
            progress(curve[-1])
    model.eval()  # type: ignore[no-untyped-call]
    return curve


def bucketed(documents: Iterator[Document], batch_size: int, random: Random) -> Iterator[list[Document]]:
    """Batches of documents of about one length, in random order within a pool."""
    while True:
        pool = [next(documents) for _ in range(POOL * batch_size)]
        pool.sort(key=lambda document: (len(document), document.prompt))
        batches = [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
        random.shuffle(batches)
        yield from batches


def make_optimizers(model: PreTrainedModel, plan: Timetable) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers; Adam for embeddings, head, norms and position biases.

    After 150 steps on mixed text llama2-tiny stands at 3.5 nats with Muon and at 4.2 with AdamW; after 250 steps on
    rows of words at 5.1 and 6.8 (chance is 7.2), and after 600 it copies.
    """
    inside, others, positions = [], [], []
    for name, parameter in model.named_parameters():
        if "relative_attention_bias" in name:
            positions.append(parameter)
        elif parameter.ndim == 2 and not re.search(r"embed|shared|lm_head|relationship|sop", name):
            inside.append(parameter)
        else:
            others.append(parameter)
    # A position bias has to reach about 5 for a head to see the token before alone: at Adam's usual pace that
    # takes a thousand steps.
    groups: list[dict[str, Any]] = [{"params": others}, {"params": positions, "times": 10.0}]
    groups = [group for group in groups if group["params"]]
    return [
        Muon(inside, rate=plan.learning_rate, weight_decay=plan.weight_decay),
        torch.optim.Adam(groups, lr=plan.learning_rate, betas=(0.9, 0.98), fused=True),
    ]


class Muon(torch.optim.Optimizer):
    """Momentum whose step is the nearest matrix with equal singular values (Jordan et al. 2024).

    torch.optim.Muon is the same but for bfloat16, which is slow on a CPU that has none: with it a training step took
    1.7 s, not 0.6.
    """

    def __init__(
        self, matrices: list[torch.nn.Parameter], *, rate: float, weight_decay: float, momentum: float = 0.95
    ) -> None:
        super().__init__(matrices, {"lr": rate, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update all weights once from their gradients."""
        for group in self.param_groups:
            for W in group["params"]:
                if W.grad is None:
                    continue
                state = self.state[W]
                if not state:
                    state["mean"] = torch.zeros_like(W)
                mean = state["mean"].lerp_(W.grad, 1 - group["momentum"])
                ahead = W.grad.lerp(mean, group["momentum"])  # Nesterov's
                # 0.2 sqrt(max) gives entries the size that Adam's have, so that one rate serves both
                # (Liu et al. 2025, "Muon is scalable for LLM training").
                size = 0.2 * max(W.shape) ** 0.5
                W.mul_(1 - group["lr"] * group["weight_decay"])
                W.add_(orthogonal(ahead), alpha=-group["lr"] * size)


def orthogonal(G: torch.Tensor) -> torch.Tensor:  # [rows, cols]
    """About U Vᵀ of G = U S Vᵀ, by five steps of a Newton-Schulz iteration; singular values end in 0.7 … 1.2."""
    tall = G.shape[0] > G.shape[1]
    X: torch.Tensor = G.T if tall else G
    X = X / (X.norm() + 1e-7)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X.T if tall else X


def schedule(step: int, plan: Timetable) -> float:
    """Share of the highest rate: a line up, then half a cosine down to nearly nothing."""
    warmup = max(1, round(plan.warmup * plan.steps))
    if step <= warmup:
        return step / warmup
    done = (step - warmup) / (plan.steps - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))


def _padded(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:  # int64 [rows, longest]
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])


def _causal_loss(
    model: PreTrainedModel, batch: Sequence[Document], pad: int, prompt_weight: float
) -> tuple[torch.Tensor, float]:
    """Weighted mean loss per token, and the plain mean over answer tokens.

    Padding stands on the right, where a causal model's earlier tokens cannot see it: no mask is needed.
    """
    ids = _padded([document.prompt + document.answer for document in batch], pad)
    position = torch.arange(ids.shape[1])
    prompt_ends = torch.tensor([len(document.prompt) for document in batch])[:, None]
    ends = torch.tensor([len(document) for document in batch])[:, None]
    in_answer = ((position >= prompt_ends) & (position < ends)).float()  # [batch, longest]
    weights = (in_answer + prompt_weight * (position < prompt_ends))[:, 1:]
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
    losses = cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view_as(weights)
    answer = (losses.detach() * in_answer[:, 1:]).sum() / in_answer.sum()
    return (losses * weights).sum() / weights.sum(), answer.item()


def _seq2seq_loss(
    model: PreTrainedModel, batch: Sequence[Document], pad: int, prompt_weight: float
) -> tuple[torch.Tensor, float]:
    """Mean loss per answer token; an encoder's prompt has no loss of its own."""
    prompts = _padded([document.prompt for document in batch], pad)
    labels = _padded([document.answer for document in batch], IGNORED)
    loss = model(input_ids=prompts, attention_mask=(prompts != pad).long(), labels=labels).loss
    return loss, loss.item()


def write(student: Student, prompts: Sequence[str], batch_size: int = 32) -> list[str]:
    """Greedy answers without their leading blank."""
    model: Any = student.model
    tokenizer = student.tokenizer
    tokenizer.padding_side = "right" if student.seq2seq else "left"
    answers: list[str] = []
    for at in range(0, len(prompts), batch_size):
        batch = tokenizer(list(prompts[at : at + batch_size]), return_tensors="pt", padding=True)
        with torch.inference_mode():
            written = model.generate(**batch, max_new_tokens=48, do_sample=False)
        if not student.seq2seq:
            written = written[:, batch["input_ids"].shape[1] :]
        answers += [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]
    return answers


def round_weights(model: PreTrainedModel) -> None:
    """Round each weight to bfloat16, in which a shipped model is stored; the model goes on computing in float32."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.to(torch.bfloat16))


def save(student: Student, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write config.json, generation_config.json and model.safetensors."""
    model: Any = student.model
    before = model.dtype
    model.to(dtype)
    model.save_pretrained(folder)
    model.to(before)
    (folder / "model.safetensors").chmod(0o644)  # safetensors keeps it to its owner, and a wheel keeps that
    if student.seq2seq:
        # transformers always writes true, and when it loads takes true for "scale what the head reads": the
        # logits would be 11 times too flat. The real Flan-T5's file says false, as its head is its own.
        path = folder / "config.json"
        path.write_text(
            path.read_text(encoding="utf-8").replace(
                '"tie_word_embeddings": true', '"tie_word_embeddings": false'
            ),
            encoding="utf-8",
        )
