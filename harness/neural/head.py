"""Prompts to the outputs of a head: batches of similar length, within a budget of tokens.

prompts ─ encode ─▶ token ids ─ batches ─▶ Head.outputs ─▶ HeadOutput
"""

from collections.abc import Collection, Iterator, Sequence

import torch

from harness.errors import ModelError
from harness.neural.architectures import head
from harness.neural.encode import Encoded, ahead, encode, room
from harness.neural.load import Base
from harness.neural.memory import Budget, out_of_memory
from harness.neural.not_finite import not_finite
from harness.neural.room import read_tokens
from harness.types import HeadOutput, Overflow, Prompt


def outputs(
    base: Base,
    prompts: Sequence[Prompt],
    overflow: Overflow,
    budget: Budget,
    done: Collection[str] = frozenset(),  # ids of samples that have answers already
) -> Iterator[HeadOutput]:
    """Yield the head's output for each prompt, the longest prompts first.

    Batches are the same whatever samples are done, so a resumed run repeats every bit.
    """
    allowed = room(base, 0)
    encoded: list[Encoded] = []
    for prompt in ahead(base, prompts):
        row = encode(base, prompt, overflow, allowed)
        if row is not None:
            encoded.append(row)
        elif prompt.sample_id not in done:
            yield HeadOutput(sample_id=prompt.sample_id, values=())
    most = min(budget.tokens, read_tokens(base.device.type, torch.get_num_threads()))
    for batch in batches(encoded, most):
        if not all(row.sample_id in done for row in batch):
            for found in _within(base, batch, budget):
                if found.sample_id not in done:
                    yield found


def batches(rows: Sequence[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    """Yield rows in batches of at most so many tokens with their padding, the longest first; equal lengths in order."""
    left = sorted(rows, key=lambda row: -len(row.ids))
    while left:
        count = max(1, tokens // max(1, len(left[0].ids)))
        yield left[:count]
        left = left[count:]


def _within(base: Base, batch: list[Encoded], budget: Budget) -> Iterator[HeadOutput]:
    """Yield the outputs of a batch; after memory has run out, in halves."""
    try:
        values = _values(base, batch)
    except Exception as error:
        if len(batch) == 1 or not out_of_memory(error):
            raise
        half = len(batch) // 2
        budget.shrink(half * len(batch[0].ids))
        yield from _within(base, batch[:half], budget)
        yield from _within(base, batch[half:], budget)
        return
    for row, found in zip(batch, values, strict=True):
        yield HeadOutput(
            sample_id=row.sample_id,
            values=tuple(found),
            prompt_tokens=len(row.ids),
            truncated_tokens=row.truncated_tokens,
        )


@torch.no_grad()
def _values(base: Base, batch: Sequence[Encoded]) -> list[list[float]]:
    outputs = head(base).outputs(base, [row.ids for row in batch], base.model)
    sound = outputs.isfinite().all(dim=1).tolist()
    if not all(sound):
        raise ModelError(not_finite(base, batch[sound.index(False)].sample_id, "outputs of the head"))
    found: list[list[float]] = outputs.tolist()
    return found
