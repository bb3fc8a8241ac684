"""Supervised fine-tuning: the loss is the negative log-likelihood of the answers' tokens; prompts have no loss.

With `turns: all`, a conversation's earlier answers are learned too. Each of them is a row of its own behind the prompt that
the model would be asked with at that turn, so every architecture and every chat template learns what it is later asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from harness.neural.architectures import Reader, TokenPair, TorchModel, writing
from harness.neural.objectives import Example, Objective, Reference, settings_of
from harness.types import Prompt, Recipe

if TYPE_CHECKING:
    import torch

    from harness.neural.encode import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSettings:
    """The settings of learning answers."""

    # Of a conversation: whether every answer of the assistant is learned, or only the last one, which is the reference
    turns: Literal["all", "last"] = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All answers of a conversation in tokens, each behind its own prompt; the last is the reference."""

    answers: tuple["Pair", ...]

    @property
    def sample_id(self) -> str:
        """Return the id of the example."""
        return self.answers[-1].sample_id

    @property
    def truncated_tokens(self) -> int:
        """Return the number of tokens that were cut from the prompt of the last answer."""
        return self.answers[-1].truncated_tokens


def _encode(reader: Reader, example: Example, recipe: Recipe) -> "Pair | Conversation | None":
    from harness.neural.encode import pair

    def encoded(prompt: Prompt, answer: str) -> "Pair | None":
        return pair(reader, prompt, answer, example.overflow, recipe.max_tokens, example.stop)

    last = encoded(example.prompt, example.answer)
    if last is None or settings_of(recipe, OBJECTIVE).turns == "last":
        return last
    earlier = [encoded(prompt, answer) for prompt, answer in _earlier(example.prompt)]
    return Conversation(answers=(*(found for found in earlier if found is not None), last))


def _earlier(prompt: Prompt) -> Iterator[tuple[Prompt, str]]:
    """Yield each answer of the assistant before the prompt's own, with the prompt that it answers."""
    turns = prompt.turns or ()
    for at, (asked, said) in enumerate(pairwise(turns)):
        if (asked.role, said.role) == ("user", "assistant") and said.text.strip():
            yield replace(prompt, before="", input=asked.text, after="", turns=turns[:at]), said.text


def _answers(item: "Pair | Conversation") -> tuple["Pair", ...]:
    return item.answers if isinstance(item, Conversation) else (item,)


def _size(item: "Pair | Conversation") -> int:
    """Return the tokens of the rows of an item, all as long as the longest."""
    rows = _answers(item)
    return len(rows) * max(row.tokens for row in rows)


def _weight(item: "Pair | Conversation") -> float:
    """Return the number of tokens of the answers."""
    return sum(len(row.answer) for row in _answers(item))


def _loss(
    base: TorchModel,
    items: Sequence["Pair | Conversation"],
    settings: AnswersSettings,
    model: Any,
    reference: Reference | None,
) -> "torch.Tensor":
    return summed_loss(base, [row for item in items for row in _answers(item)], model)


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
    settings=AnswersSettings,
    encode=_encode,
    size=_size,
    weight=_weight,
    loss=_loss,
)
