"""Supervised fine-tuning: the loss is the negative log-likelihood of the answers' tokens; prompts have no loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.neural.architectures import Reader, TokenPair, TorchModel, writing
from harness.neural.objectives import Example, NoSettings, Objective, Reference
from harness.types import Recipe

if TYPE_CHECKING:
    import torch

    from harness.neural.encode import Pair


def _encode(reader: Reader, example: Example, recipe: Recipe) -> "Pair | None":
    from harness.neural.encode import pair

    return pair(reader, example.prompt, example.answer, example.overflow, recipe.max_tokens, example.stop)


def _size(item: "Pair") -> int:
    return item.tokens


def _weight(item: "Pair") -> float:
    """Return the number of tokens of the answer."""
    return len(item.answer)


def _loss(
    base: TorchModel,
    items: Sequence["Pair"],
    settings: NoSettings,
    model: Any,
    reference: Reference | None,
) -> "torch.Tensor":
    return summed_loss(base, items, model)


def summed_loss(
    base: TorchModel, batch: Sequence[TokenPair], model: Any = None
) -> "torch.Tensor":  # nats, float32 scalar
    """Return the negative log-likelihood of the answers, summed over their tokens.

    `model` is the base's own, or its wrapper where several processes train.
    """
    from torch.nn.functional import cross_entropy

    logits, labels = writing(base).logits(base, batch, model or base.model)
    return cross_entropy(logits.float(), labels, reduction="sum")


OBJECTIVE = Objective(
    name="answers",
    unit="nats per answer token",
    encode=_encode,
    size=_size,
    weight=_weight,
    loss=_loss,
)
