"""Work on several layers at once, in threads, each with one thread of the linear algebra library.

LAPACK lets go of Python's lock, so threads serve, and share what they read. Two layers at once on two cores took … of
the time of one after the other with two threads each (benchmarks.weights).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Found = TypeVar("Found")


def in_order(work: Callable[[Item], Found], items: Iterable[Item], threads: int) -> Iterator[Found]:
    """What the work makes of each item, in their order; no more than `threads` items are in hand at any time."""
    if threads == 1:
        yield from map(work, items)
        return
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Found]] = deque()
        for item in items:
            if len(waiting) == threads:
                yield waiting.popleft().result()
            waiting.append(pool.submit(work, item))
        while waiting:
            yield waiting.popleft().result()
