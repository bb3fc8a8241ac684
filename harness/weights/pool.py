"""Work on several layers at once, in threads, each with one thread of the linear algebra libraries.

The libraries release Python's lock, so threads suffice, and share what they read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from harness.weights.dense import one_thread

Item = TypeVar("Item")
Found = TypeVar("Found")


def in_order(
    work: Callable[[Item], Found],
    items: Iterable[Item],
    threads: int,
) -> Iterator[Found]:
    """Yield the result of each item, in order; at most `threads` items are in progress at any time."""
    if threads == 1:
        yield from map(work, items)
        return
    with one_thread() as limit, ThreadPoolExecutor(threads, initializer=limit.enter) as pool:
        waiting: deque[Future[Found]] = deque()
        for item in items:
            if len(waiting) == threads:
                yield waiting.popleft().result()
            waiting.append(pool.submit(work, item))
        while waiting:
            yield waiting.popleft().result()
