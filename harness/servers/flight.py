"""Many requests at once: a bounded number in flight, results as they come."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from harness.servers.client import Unanswered

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 2  # items taken for each request in flight: a thread that is done finds its next one at once


def in_flight(
    ask: Callable[[Item], Answer], items: Iterable[Item], at_once: int
) -> Iterator[tuple[Item, Answer | Unanswered]]:
    """Yield each item with its answer or with why it has none, in the order in which they end.

    `items` is read as answers are taken, so neither items nor answers pile up.
    """
    ended: SimpleQueue[Future[tuple[Item, Answer | Unanswered]]] = SimpleQueue()

    def asked(item: Item) -> tuple[Item, Answer | Unanswered]:
        try:
            return item, ask(item)
        except Unanswered as error:
            return item, error

    left, taken = iter(items), 0
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="asking")
    try:
        for item in left:
            pool.submit(asked, item).add_done_callback(ended.put)
            taken += 1
            if taken >= AHEAD * at_once:
                yield ended.get().result()
                taken -= 1
        for _ in range(taken):
            yield ended.get().result()
    finally:
        pool.shutdown(cancel_futures=True)
