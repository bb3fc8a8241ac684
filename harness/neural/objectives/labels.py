"""Learning to label: cross-entropy over the task's labels, or the squared error of a number, by a head on an encoder.

A number's error is measured in standard deviations of the training numbers: 1 is the error of their mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.neural.architectures import Ids, Reader, TorchModel, head
from harness.neural.objectives import Example, Objective, Reference, TrainedHead
from harness.text import as_number
from harness.types import Recipe

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A prompt in tokens, and the output to learn."""

    sample_id: str
    prompt: Ids
    target: float  # position of the label, or the number
    truncated_tokens: int


def _target(example: Example) -> float:
    """Return the position of an example's label, or its number."""
    if example.labels:
        if example.answer not in example.labels:
            raise DataError(
                f"training sample {example.id!r}: the label {example.answer!r} is none of {', '.join(example.labels)}; "
                "add it to `labels`, or correct the sample"
            )
        return float(example.labels.index(example.answer))
    number = as_number(example.answer)
    if number is None:
        raise DataError(
            f"training sample {example.id!r}: the reference {example.answer!r} is not a number; correct it, or give `labels`"
        )
    return number


def _encode(reader: Reader, example: Example, recipe: Recipe) -> Labelled | None:
    from harness.neural.encode import encode

    left = reader.architecture.prompt_room(reader.window, 0)
    most = recipe.max_tokens if left is None else min(recipe.max_tokens, left)
    encoded = encode(reader, example.prompt, example.overflow, most)
    if encoded is None:
        return None
    return Labelled(
        sample_id=example.id,
        prompt=encoded.ids,
        target=_target(example),
        truncated_tokens=encoded.truncated_tokens,
    )


def _size(item: Labelled) -> int:
    return len(item.prompt)


def _weight(item: Labelled) -> float:
    return 1.0


def _head(examples: Sequence[Example]) -> TrainedHead:
    """Return the head for these examples: an output for each label, or one for a number."""
    labels = examples[0].labels if examples else ()
    targets = [_target(example) for example in examples]
    if labels:
        seen = {example.answer for example in examples}
        return TrainedHead(labels=labels, unseen=tuple(label for label in labels if label not in seen))
    return TrainedHead(mean=fmean(targets), spread=pstdev(targets) or 1.0)


def _loss(
    base: TorchModel,
    items: Sequence[Labelled],
    trained: TrainedHead,
    model: Any,
    reference: Reference | None,
) -> "torch.Tensor":
    import torch
    from torch.nn.functional import cross_entropy, mse_loss

    outputs = head(base).outputs(base, [item.prompt for item in items], model or base.model)
    if trained.labels:
        labels = torch.tensor([int(item.target) for item in items], device=outputs.device)
        return cross_entropy(outputs, labels, reduction="sum")
    wanted = torch.tensor([item.target for item in items], device=outputs.device, dtype=torch.float32)
    return mse_loss(
        (outputs[:, 0] - trained.mean) / trained.spread,
        (wanted - trained.mean) / trained.spread,
        reduction="sum",
    )


OBJECTIVE = Objective(
    name="labels",
    unit="nats per label, or squared error (1: that of the mean)",
    encode=_encode,
    size=_size,
    weight=_weight,
    loss=_loss,
    needs="head",
    head=_head,
)
