"""Draw the examples of each prompt as lm-evaluation-harness draws them.

One generator, seeded with 1234, serves all documents of a task in their order, so the examples of a document depend on how
many documents come before it.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from harness.errors import DataError
from harness.lm_eval.task_file import Sampler

SEED = 1234  # `fewshot_random_seed` of its evaluator

Document = TypeVar("Document")


def draws(
    sampler: Sampler,
    pool: Sequence[Document],
    asked: Sequence[Document],
    count: int,
    *,
    without_own: bool,  # a document is none of its own examples: pool and questions are one split
    where: str,
) -> Iterator[Sequence[Document]]:
    """Yield the examples before each document that is asked."""
    if count == 0:
        yield from ([] for _ in asked)
        return
    spare = 1 if without_own else 0
    if count + spare > len(pool):
        raise DataError(
            f"{where}: {count:,} examples before a prompt, and there are {len(pool):,} documents to take them from"
            f"{', one of them the question itself' if spare else ''}; lower the number"
        )
    generator = Random(SEED)
    for document in asked:
        own = [document] if without_own else []
        if sampler == "first_n":
            yield [each for each in pool if each not in own][:count] if own else pool[:count]
            continue
        found = [each for each in generator.sample(list(pool), count + spare) if each not in own][:count]
        if len(found) < count:  # the document is in the pool more than once
            found = generator.sample([each for each in pool if each not in own], count)
        yield found
