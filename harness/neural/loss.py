"""What the model is trained to lower: the negative log-likelihood of the answers, on a batch of examples in tokens."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from harness.neural.decode import decoder_start
from harness.neural.encode import Pair
from harness.neural.load import Base

IGNORED = -100  # the label of what has no loss


def summed_loss(base: Base, batch: Sequence[Pair], model: Any = None) -> torch.Tensor:  # nats, float32 scalar
    """Negative log-likelihood of the answers, summed over their tokens. Logits exist only where an answer is.

    `model` is the base's own, or what stands for it where several processes train.
    """
    logits, labels = (_seq2seq if base.seq2seq else _causal)(base, batch, model or base.model)
    return cross_entropy(logits.float(), labels, reduction="sum")


def _causal(base: Base, batch: Sequence[Pair], model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [answer tokens, vocabulary] and the tokens that follow.

    Rows are filled up on the right, where no token of theirs looks: no mask is needed. A row's last token is a label
    alone: it is left out where it would stand one position past the window.
    """
    ids = _filled(base, [one.prompt + one.answer for one in batch], base.pad)
    asked = torch.zeros_like(ids, dtype=torch.bool)  # [rows, tokens]: the next token is the answer's
    for row, one in enumerate(batch):
        asked[row, len(one.prompt) - 1 : one.tokens - 1] = True
    labels = ids.roll(-1, dims=1)[asked]
    ids, asked = ids[:, : base.window], asked[:, : base.window]
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=asked).logits
    if logits.ndim == 3:  # a class that knows no logits_to_keep gave them all
        logits = logits[asked]
    return logits, labels


def _seq2seq(base: Base, batch: Sequence[Pair], model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [answer tokens, vocabulary] and those tokens; the decoder reads the answer one token late."""
    prompts = _filled(base, [one.prompt for one in batch], base.pad)
    seen = _filled(base, [(1,) * len(one.prompt) for one in batch], 0)
    labels = _filled(base, [one.answer for one in batch], IGNORED)
    asked = labels != IGNORED
    start = decoder_start(base)
    read = _filled(base, [(start, *one.answer[:-1]) for one in batch], base.pad)
    logits = model(
        input_ids=prompts,
        attention_mask=None if bool(seen.all()) else seen,
        decoder_input_ids=read,
        use_cache=False,
    ).logits
    return logits[asked], labels[asked]


def _filled(base: Base, rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:  # int64 [rows, longest]
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], device=base.device)
