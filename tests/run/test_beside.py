"""Jobs beside a run: all are done at its end, and none is begun once the run is given up."""

from threading import Event

import pytest

from harness.run.beside import SideThread


@pytest.mark.parametrize("threaded", [True, False])
def test_jobs_are_done_in_their_order(threaded: bool) -> None:
    done: list[int] = []
    beside = SideThread(threaded=threaded)
    for number in range(20):
        beside.do(lambda number=number: done.append(number))  # type: ignore[misc]
    beside.close()
    assert done == list(range(20))


def test_the_first_error_of_a_job_is_raised_at_the_end() -> None:
    beside = SideThread(threaded=True)
    beside.do(lambda: 1 / 0)  # type: ignore[arg-type]
    beside.do(lambda: [][0])
    with pytest.raises(ZeroDivisionError):
        beside.close()


def test_once_given_up_no_further_job_is_begun_and_no_error_is_raised() -> None:
    begun, go, done = Event(), Event(), []
    beside = SideThread(threaded=True)

    def first() -> None:
        begun.set()
        go.wait(30)
        raise ValueError

    beside.do(first)
    beside.do(lambda: done.append("second"))
    assert begun.wait(30)
    beside.abandon(0.0)
    go.set()
    beside.abandon(30.0)
    assert done == []
