"""Attention of many answers of different ages, without the empty columns in front of the youngest.

All rows of a batch end at the same column, so a row that joined late is empty in the columns that older rows fill.
Reading these columns took a quarter of the time of answers of 80 tokens: with one token for a row, the speed of
attention is that of reading keys and values from memory. So rows are grouped in slices, and each slice is read from the
column where its first row begins.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional

SLICES = 6  # at most: each is another call
WORTH = 0.9  # largest share of the columns that slices may read; otherwise all are read in one call


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows `first` to `last` - 1, whose answers all begin at column `start` or later."""

    first: int
    last: int
    start: int


def slices(
    starts: Sequence[int | None],  # the column where each row begins; None: the row is free
    columns: int,
) -> tuple[Slice, ...]:
    """Return the slices of rows, in order; none where slices would save too little."""
    size = max(1, -(-len(starts) // SLICES))
    found = []
    for first in range(0, len(starts), size):
        part = [start for start in starts[first : first + size] if start is not None]
        found.append(Slice(first, min(first + size, len(starts)), min(part, default=columns - 1)))
    read = sum((part.last - part.first) * (columns - part.start) for part in found)
    return tuple(found) if read <= WORTH * len(starts) * columns else ()


@contextmanager
def in_slices(parts: Sequence[Slice], storages: frozenset[int]) -> Iterator[None]:
    """Compute attention to keys in these storages slice by slice for as long as the block runs."""
    if not parts:
        yield
        return
    whole = functional.scaled_dot_product_attention
    functional.scaled_dot_product_attention = partial(_attend, whole=whole, parts=parts, storages=storages)
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = whole


def _attend(
    query: torch.Tensor,  # [rows, heads, tokens, width]
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,  # [rows or 1, heads or 1, tokens, columns]
    *,
    whole: Callable[..., torch.Tensor],
    parts: Sequence[Slice],
    storages: frozenset[int],
    **options: Any,
) -> torch.Tensor:
    if key.untyped_storage().data_ptr() not in storages or attn_mask is None:
        return whole(query, key, value, attn_mask, **options)
    attended = []
    for part in parts:
        rows, columns = slice(part.first, part.last), slice(part.start, None)
        mask = attn_mask[rows] if len(attn_mask) > 1 else attn_mask
        attended.append(
            whole(query[rows], key[rows, :, columns], value[rows, :, columns], mask[..., columns], **options)
        )
    return torch.cat(attended)
