"""Trains a tiny encoder from random weights: guess masked words (Devlin et al. 2019), and judge pairs of passages."""

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AlbertForPreTraining,
    AutoConfig,
    AutoModelForPreTraining,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tools.zoo.architectures import POOL
from tools.zoo.encoders import Encoder, MaskedPretraining
from tools.zoo.pretrain import make_optimizers, schedule

IGNORED = -100  # the label of a document that is one passage
LONGEST = 192  # tokens of a document
_ENDS = re.compile(r"(?<=[.!?:])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Pupil:
    """An encoder and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Document:
    """One or two passages in tokens, with special tokens around them."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]  # 0 or 1 for each token
    relation: int  # 0: the second passage follows; 1: it does not; IGNORED: there is one passage

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPoint:
    """One point of the loss curve: means since the last point."""

    step: int
    loss: float  # nats per masked token
    pair_accuracy: float  # percent of the pairs of passages
    learning_rate: float
    seconds: float
    tokens: int  # seen so far


def newborn_encoder(encoder: Encoder, folder: Path) -> Pupil:
    """Return the family's own class for pretraining with random weights in float32, and the tokenizer in the folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(encoder.pretraining.seed)
    tokens = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": None, "eos_token_id": None}
    settings = {**encoder.config, "vocab_size": len(tokenizer), "dtype": "float32", **tokens}
    make: Any = AutoModelForPreTraining
    return Pupil(make.from_config(AutoConfig.for_model(encoder.model_type, **settings)), tokenizer)


def load_encoder(folder: Path) -> Pupil:
    """Return the trained encoder in the folder."""
    return Pupil(AutoModelForPreTraining.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))


def documents(pupil: Pupil, texts: Iterable[str], plan: MaskedPretraining) -> Iterator[Document]:
    """Yield each text as one passage or two; half of the pairs do not belong together as they stand.

    ALBERT's wrong pairs are swapped (Lan et al. 2020), BERT's have the second passage of the text before.
    """
    random = Random(f"{plan.seed}-passages")
    swaps = isinstance(pupil.model, AlbertForPreTraining)
    earlier = ""
    for text in texts:
        parts = [part.strip() for part in _ENDS.split(text) if part.strip()]
        at = random.randrange(1, len(parts)) if len(parts) > 1 else 0
        first, second = " ".join(parts[:at]), " ".join(parts[at:])
        if not at or random.random() >= plan.pair_share:
            # Half of the single passages are single sentences, which are what many tasks consist of.
            yield _document(
                pupil, random.choice(parts) if random.random() < 0.5 else " ".join(parts), None, IGNORED
            )
        elif random.random() < 0.5 or not earlier:
            yield _document(pupil, first, second, 0)
        elif swaps:
            yield _document(pupil, second, first, 1)
        else:
            yield _document(pupil, first, earlier, 1)
        earlier = second or earlier


def _document(pupil: Pupil, first: str, second: str | None, relation: int) -> Document:
    pair = pupil.tokenizer(first, second, truncation=True, max_length=LONGEST)
    return Document(tuple(pair["input_ids"]), tuple(pair["token_type_ids"]), relation)


def train_encoder(
    pupil: Pupil,
    texts: Iterable[str],
    plan: MaskedPretraining,
    progress: Callable[[MaskedPoint], None],
    every: int = 50,  # steps between points of the curve
) -> list[MaskedPoint]:
    """Train the encoder in place; a gradient that is not finite ends it with FloatingPointError."""
    torch.set_num_threads(1)  # sums in another order would give other weights
    torch.manual_seed(plan.seed)
    optimizers = make_optimizers(pupil.model, plan)
    batches = pooled(documents(pupil, texts, plan), plan.batch_size, Random(plan.seed))
    random = torch.Generator().manual_seed(plan.seed)
    curve: list[MaskedPoint] = []
    started, tokens, losses, right, pairs = time.perf_counter(), 0, 0.0, 0, 0
    pupil.model.train()
    for step in range(1, plan.steps + 1):
        rate = plan.learning_rate * schedule(step, plan)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = rate * group.get("times", 1.0)
        batch = next(batches)
        masked, of_pairs, hits, judged = losses_of(pupil, batch, plan, random)
        (masked + of_pairs).backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(pupil.model.parameters(), 1.0)
        if not math.isfinite(norm.item()):
            raise FloatingPointError(f"step {step}: the gradient is not finite")
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        tokens += sum(map(len, batch))
        losses, right, pairs = losses + masked.item(), right + hits, pairs + judged
        if step % every == 0 or step == plan.steps:
            curve.append(
                MaskedPoint(
                    step=step,
                    loss=losses / (step % every or every),
                    pair_accuracy=100 * right / max(1, pairs),
                    learning_rate=rate,
                    seconds=time.perf_counter() - started,
                    tokens=tokens,
                )
            )
            losses, right, pairs = 0.0, 0, 0
            progress(curve[-1])
    pupil.model.eval()  # type: ignore[no-untyped-call]
    return curve


def pooled(found: Iterator[Document], batch_size: int, random: Random) -> Iterator[list[Document]]:
    """Yield batches of documents of about one length, in random order within a pool."""
    while True:
        pool = [next(found) for _ in range(POOL * batch_size)]
        pool.sort(key=lambda document: (len(document), document.ids))
        batches = [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
        random.shuffle(batches)
        yield from batches


def losses_of(
    pupil: Pupil, batch: Sequence[Document], plan: MaskedPretraining, random: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Return the mean losses of masked tokens and of pairs, and how many pairs are judged rightly, of how many."""
    pad = int(pupil.tokenizer.pad_token_id)
    ids = _padded([document.ids for document in batch], pad)
    seen = _padded([(1,) * len(document) for document in batch], 0)
    read, asked = masked(pupil, ids, plan.masked_share, random)
    model: Any = pupil.model
    encode = getattr(model, model.base_model_prefix)
    states = encode(
        input_ids=read,
        attention_mask=seen,
        token_type_ids=_padded([document.segments for document in batch], 0),
    )
    albert = isinstance(model, AlbertForPreTraining)
    guess = model.predictions if albert else model.cls.predictions
    judge = model.sop_classifier if albert else model.cls.seq_relationship
    logits = guess(states.last_hidden_state[asked])
    relations = torch.tensor([document.relation for document in batch])
    pairs = relations != IGNORED
    judged = judge(states.pooler_output[pairs])
    wanted = relations[pairs]
    of_pairs = cross_entropy(judged, wanted) if len(wanted) else logits.sum() * 0
    hits = int((judged.argmax(-1) == wanted).sum())
    return cross_entropy(logits, ids[asked]), of_pairs, hits, len(wanted)


def masked(
    pupil: Pupil,
    ids: torch.Tensor,  # int64 [rows, longest]
    share: float,
    random: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the tokens that the model reads, and which ones it has to guess: at least one.

    Of those to guess, 80 % are replaced by the mask and 10 % by another token, as in BERT.
    """
    special = torch.tensor(sorted(pupil.tokenizer.all_special_ids))
    plain = ~torch.isin(ids, special)
    asked = (torch.rand(ids.shape, generator=random) < share) & plain
    if not asked.any():
        asked = plain
    how = torch.rand(ids.shape, generator=random)
    others = torch.randint(len(special), len(pupil.tokenizer), ids.shape, generator=random)
    read = torch.where(asked & (how < 0.8), int(pupil.tokenizer.mask_token_id), ids)
    return torch.where(asked & (how > 0.9), others, read), asked


@torch.no_grad()
def held_out(pupil: Pupil, texts: Iterable[str], plan: MaskedPretraining, count: int) -> dict[str, float]:
    """Return how the encoder does on `count` documents that it was not trained on."""
    random = torch.Generator().manual_seed(plan.seed)
    found = documents(pupil, texts, plan)
    batches = ([next(found) for _ in range(plan.batch_size)] for _ in range(0, count, plan.batch_size))
    parts = [losses_of(pupil, batch, plan, random) for batch in batches]
    right, pairs = sum(part[2] for part in parts), sum(part[3] for part in parts)
    return {
        "nats per masked token": round(sum(part[0].item() for part in parts) / len(parts), 4),
        "pairs judged rightly, in percent": round(100 * right / max(1, pairs), 1),
    }


def _padded(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:  # int64 [rows, longest]
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])
