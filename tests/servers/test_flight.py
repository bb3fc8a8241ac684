"""Many requests at once: all answered once, never more than allowed, and nothing piles up."""

import threading
import time

import pytest

from harness.servers.client import Unanswered
from harness.servers.flight import AHEAD, in_flight


@pytest.mark.parametrize("at_once", [1, 3, 16])
@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_each_item_has_one_answer(items: int, at_once: int) -> None:
    found = dict(in_flight(lambda item: item * item, range(items), at_once))
    assert found == {item: item * item for item in range(items)}


def test_no_more_are_asked_at_once_than_allowed_and_few_are_taken_ahead() -> None:
    now, most, taken, lock = 0, 0, 0, threading.Lock()

    def ask(item: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1
        return item

    def items():
        nonlocal taken
        for item in range(60):
            taken += 1
            yield item

    answered = 0
    for _ in in_flight(ask, items(), 4):
        answered += 1
        assert taken - answered <= AHEAD * 4
    assert answered == 60
    assert most == 4


def test_an_item_without_an_answer_stops_no_other() -> None:
    def ask(item: int) -> int:
        if item == 3:
            raise Unanswered("no")
        return item

    found = dict(in_flight(ask, range(6), 2))
    assert isinstance(found.pop(3), Unanswered)
    assert found == {item: item for item in (0, 1, 2, 4, 5)}


def test_another_error_is_raised_and_an_early_end_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(in_flight(lambda item: 1 // item, range(4), 2))
    flight = in_flight(lambda item: item, range(1000), 8)
    next(flight)
    flight.close()  # type: ignore[attr-defined]  # it is a generator
    assert threading.active_count() == before
