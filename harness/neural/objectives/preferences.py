"""Learning from preferences: the chosen answer of a pair becomes likelier than the rejected one, compared with the base.

DPO (Rafailov et al. 2023, arXiv 2305.18290), with the logistic loss, and IPO (Azar et al. 2023, arXiv 2310.12036). The base
without its adapter is the reference, or the adapter that training starts from. The reference's log-likelihoods are computed
once for each pair, before the first step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import DataError, SuiteError
from harness.neural.architectures import Reader, TorchModel, writing
from harness.neural.objectives import At, Example, Objective, Reference
from harness.types import Recipe

if TYPE_CHECKING:
    import torch

    from harness.neural.encode import Pair

LARGEST_BETA = 1000.0  # far above any in use


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesSettings:
    """The settings of learning from preferences."""

    # sigmoid: DPO's own loss. ipo: squared distance to a margin of 1 / (2 · beta), by log-likelihoods per token
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    beta: float = 0.1  # how strongly the adapter is held near its base; more is nearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A prompt with two answers in tokens, and the base's log-likelihood of either once it is known."""

    chosen: "Pair"
    rejected: "Pair"
    reference: tuple[float, float] | None = None  # nats: of the chosen answer, of the rejected one

    @property
    def sample_id(self) -> str:
        """Return the id of the example."""
        return self.chosen.sample_id

    @property
    def truncated_tokens(self) -> int:
        """Return the number of tokens that were cut from the prompt."""
        return self.chosen.truncated_tokens


def _check(settings: PreferencesSettings, at: At) -> None:
    if not 0 < settings.beta <= LARGEST_BETA:
        raise SuiteError(
            f"{at('beta')}: found {settings.beta:g}; give a number above 0, up to {LARGEST_BETA:g}, such as 0.1"
        )


def _encode(reader: Reader, example: Example, recipe: Recipe) -> Preference | None:
    from harness.neural.encode import pairs

    if example.rejected is None:
        raise DataError(
            f"training sample {example.id!r} has one answer, and objective 'preferences' learns from two; train on a task "
            "of kind prefer, or leave `objective` out"
        )
    if example.rejected == example.answer:
        raise DataError(
            f"training sample {example.id!r}: the chosen and the rejected answer are equal; drop the row"
        )
    answers = (example.answer, example.rejected)
    found = pairs(reader, example.prompt, answers, example.overflow, recipe.max_tokens, example.stop)
    return None if found is None else Preference(chosen=found[0], rejected=found[1])


def _size(item: Preference) -> int:
    """Return the tokens of the two rows that go through the model together, the shorter one padded."""
    return 2 * max(item.chosen.tokens, item.rejected.tokens)


def _weight(item: Preference) -> float:
    return 1.0


def _refer(
    base: TorchModel, items: Sequence[Preference], settings: PreferencesSettings
) -> Sequence[Preference]:
    found = logprobs(base, items, base.model)
    return [
        replace(item, reference=(float(chosen), float(rejected)))
        for item, (chosen, rejected) in zip(items, found.tolist(), strict=True)
    ]


def logprobs(
    base: TorchModel, items: Sequence[Preference], model: Any
) -> "torch.Tensor":  # nats, float32 [items, 2]: of the chosen answers, of the rejected ones
    """Return the log-likelihood of both answers of each pair, all of them by one forward pass."""
    import torch
    from torch.nn.functional import cross_entropy

    rows = [*(item.chosen for item in items), *(item.rejected for item in items)]
    logits, labels = writing(base).logits(base, rows, model)
    tokens = -cross_entropy(logits.float(), labels, reduction="none")
    sums = torch.stack([part.sum() for part in torch.split(tokens, [len(row.answer) for row in rows])])
    return sums.view(2, len(items)).T


def _loss(
    base: TorchModel,
    items: Sequence[Preference],
    settings: PreferencesSettings,
    model: Any,
    reference: Reference | None,
) -> "torch.Tensor":
    import torch

    if any(item.reference is None for item in items):
        assert reference is not None
        with torch.no_grad(), reference():
            items = _refer(base, items, settings)
    found = logprobs(base, items, model)
    before = torch.tensor([item.reference for item in items], device=found.device)
    lengths = torch.tensor(
        [(len(item.chosen.answer), len(item.rejected.answer)) for item in items], device=found.device
    )
    return summed_loss(found - before, lengths, settings)


def summed_loss(
    gains: "torch.Tensor",  # nats, float32 [items, 2]: how much likelier than to the base each answer is
    lengths: "torch.Tensor",  # [items, 2]: tokens of each answer
    settings: PreferencesSettings,
) -> "torch.Tensor":
    """Return the loss of some pairs, summed.

    IPO compares means over tokens, as the authors of the paper advise and TRL does.
    """
    from torch.nn.functional import logsigmoid

    if settings.loss == "ipo":
        gains = gains / lengths
        return (gains[:, 0] - gains[:, 1] - 1 / (2 * settings.beta)).square().sum()
    return -logsigmoid(settings.beta * (gains[:, 0] - gains[:, 1])).sum()


OBJECTIVE = Objective(
    name="preferences",
    unit="per pair (the reference has 0.693 by sigmoid, 1 / (2 · beta)² by ipo)",
    settings=PreferencesSettings,
    check=_check,
    encode=_encode,
    size=_size,
    weight=_weight,
    loss=_loss,
    needs_reference=True,
    refer=_refer,
    learns="pairs",
)
