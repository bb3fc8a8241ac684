"""Answers by transformers' own `generate`, for models whose rows cannot change while a batch is answered.

These are models with state-space or convolution layers, which do not keep keys and values by column, and
encoder-decoders whose positions count from the start of the batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from harness.neural.architectures import writing
from harness.neural.cache import only_attention
from harness.neural.encode import Encoded
from harness.neural.load import Base


def has_slots(base: Base) -> bool:
    """Return whether rows of a batch can be reused with this model, so that a `Batch` answers."""
    config = base.model.config
    return only_attention(config.get_text_config(decoder=True)) and writing(base).mixes_ages(config)


@torch.no_grad()
def answer(
    base: Base, encoded: Sequence[Encoded], count: int, max_new_tokens: int, not_finite: int
) -> Iterator[tuple[Encoded, list[int]]]:
    """Yield greedy answers in tokens, `count` prompts at a time; after an end token follows padding.

    A token whose logits are NaN or infinite is `not_finite`.
    """
    model: Any = base.model
    written_by = writing(base)
    left = written_by.padding_side == "left"
    for start in range(0, len(encoded), count):
        rows = encoded[start : start + count]
        longest = max(len(row.ids) for row in rows)
        ids, seen = [], []
        for row in rows:
            fill = longest - len(row.ids)
            mask = [1] * len(row.ids)
            ids.append([*[base.pad] * fill, *row.ids] if left else [*row.ids, *[base.pad] * fill])
            seen.append([*[0] * fill, *mask] if left else [*mask, *[0] * fill])
        watched = _Watched()
        greedy = _greedy(base, max_new_tokens)
        with _without_own_settings(model):
            written = model.generate(
                torch.tensor(ids, device=base.device),
                attention_mask=torch.tensor(seen, device=base.device),
                generation_config=greedy,
                logits_processor=[watched],
            )
        new = written[:, written_by.layout(longest, base.window).column :]
        new = new.masked_fill(~torch.stack(watched.finite, dim=1), not_finite)
        yield from zip(rows, new.tolist(), strict=True)


class _Watched:
    """A logits processor that records whether the logits of each step are finite, and does not change them."""

    def __init__(self) -> None:
        self.finite: list[torch.Tensor] = []  # [rows] of each step

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.finite.append(scores.max(-1).values.isfinite())
        return scores


@contextmanager
def _without_own_settings(model: Any) -> Iterator[None]:
    """Put an empty generation config in the place of the checkpoint's own for as long as the block runs.

    Otherwise `generate` takes from it what a given one leaves open: BART's has beams, a least length and a forced end.
    """
    from transformers import GenerationConfig

    own, model.generation_config = model.generation_config, GenerationConfig()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        model.generation_config = own


def _greedy(base: Base, max_new_tokens: int) -> Any:
    """Return settings for greedy answers; of the checkpoint's own, only the token that answers are made to begin with."""
    from transformers import GenerationConfig

    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(base.ends) or None,
        pad_token_id=base.pad,
        decoder_start_token_id=getattr(base.model.config, "decoder_start_token_id", None),
        forced_bos_token_id=getattr(base.model.generation_config, "forced_bos_token_id", None),
    )
