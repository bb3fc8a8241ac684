"""Which samples go through the model together, and in which order: a function of the seed and the epoch."""

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar

from harness.neural.room import VALIDATION_TOKENS

Item = TypeVar("Item")

POOL = 16  # batches that are sorted by length together: little padding, and still a random order


def batches_from(step: int, tokens: Sequence[int], batch_size: int, seed: int) -> Iterator[list[int]]:
    """Yield the positions of the samples of this step (1, 2, ...) and of all later steps.

    Every epoch has each sample once, in its own order.
    """
    epoch, at = divmod(step - 1, math.ceil(len(tokens) / batch_size))
    while True:
        yield from order(tokens, batch_size, seed, epoch)[at:]
        epoch, at = epoch + 1, 0


def order(tokens: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return batches of samples of similar length, in random order."""
    random = Random(f"{seed}-{epoch}")
    samples = list(range(len(tokens)))
    random.shuffle(samples)
    batches: list[list[int]] = []
    for start in range(0, len(samples), POOL * batch_size):
        pool = sorted(samples[start : start + POOL * batch_size], key=lambda sample: tokens[sample])
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    random.shuffle(batches)
    return batches


def by_length(items: Sequence[Item], size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Yield all items, the largest first, in as few batches as `VALIDATION_TOKENS` allows; `size` is in tokens."""
    ordered = sorted(items, key=lambda item: -size(item))
    while ordered:
        count = max(1, VALIDATION_TOKENS // size(ordered[0]))
        yield ordered[:count]
        ordered = ordered[count:]
