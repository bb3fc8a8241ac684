"""What the model is trained to lower: the negative log-likelihood of the answers, on a batch of examples in tokens."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from harness.neural.encode import Pair
from harness.neural.load import Base


def summed_loss(base: Base, batch: Sequence[Pair], model: Any = None) -> torch.Tensor:  # nats, float32 scalar
    """Return the negative log-likelihood of the answers, summed over their tokens.

    `model` is the base's own, or what stands for it where several processes train.
    """
    logits, labels = base.architecture.logits(base, batch, model or base.model)
    return cross_entropy(logits.float(), labels, reduction="sum")
