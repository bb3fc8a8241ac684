"""Follow the course of a run: what is done, how fast, and about how long the rest will take.

A running step is judged by its own speed. A step to come is judged by an estimate, corrected by how long this run's steps of
the same kind really took; without an estimate by the mean of those steps. Where neither is known, the time left is unknown.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from harness.run.counting import LOADING
from harness.types import Outcome, Step

Clock = Callable[[], float]  # seconds
Expected = Mapping[str, float]  # step -> seconds that it takes once its model is in memory

LATE_SECONDS = 30.0  # a step without a speed of its own that is later than this was estimated wrongly
RECOMPUTED_SECONDS = 1.0  # the time left is shown ten times a second, and computed once


@dataclass(slots=True)
class Position:
    """How far a running step is."""

    step: Step
    started: float
    done: int = 0
    total: int = 0  # 0: unknown
    doing: str = ""
    at: float = 0.0  # when `done` was counted
    first: tuple[float, int] | None = None  # when counting began, and how much was done then

    @property
    def loading(self) -> bool:
        """Return whether the step waits for a model that is being loaded."""
        return self.doing == LOADING

    def count(self, now: float, done: int, total: int, doing: str) -> None:
        """Take what the step says of itself."""
        self.done, self.total, self.doing, self.at = done, total, doing, now
        if self.first is None and not self.loading:
            self.first = (now, done)

    @property
    def per_second(self) -> float | None:
        """Return how much of the step is done in a second; None before that can be known."""
        if self.first is None or self.done <= self.first[1] or self.at <= self.first[0]:
            return None
        return (self.done - self.first[1]) / (self.at - self.first[0])

    def seconds_left(self, now: float, expected: float | None) -> float | None:
        """Return how long the rest of the step takes by its own speed, else by what was expected of the whole step.

        None: nothing was expected, or the step takes far longer than that, so that its end is not known.
        """
        if self.per_second and self.total:
            return max(0.0, (self.total - self.done) / self.per_second - (now - self.at))
        if expected is None or now - self.started > 2 * expected + LATE_SECONDS:
            return None
        return max(0.0, expected - (now - self.first[0] if self.first else 0.0))


class Course:
    """The course of a run with a number of workers."""

    def __init__(
        self,
        todo: Sequence[Step],
        workers: int = 1,
        expected: Expected | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.total, self.ended_steps = len(todo), 0
        self.running: dict[str, Position] = {}
        self.failures: list[str] = []  # a line for each step that failed or was skipped
        self._clock, self._since = clock, clock()
        self._workers = max(1, workers)
        self._waiting = {step.id: step for step in todo}
        self._expected: Expected = expected or {}
        # Kind -> ended steps with the seconds that each took
        self._took: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        self._left: tuple[float, float | None] | None = (
            None  # when the time left was computed, and the time left
        )

    def expect(self, seconds: Expected) -> None:
        """Take estimates of how long steps take."""
        self._expected = seconds

    def started(self, step: Step) -> None:
        """Take note that a step has started."""
        self._waiting.pop(step.id, None)
        self.running[step.id] = Position(step, self._clock())

    def progress(self, step: Step, done: int, total: int, doing: str) -> None:
        """Take note of how much of a step is done."""
        if step.id in self.running:
            self.running[step.id].count(self._clock(), done, total, doing)

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Take note of how a step ended."""
        self.ended_steps += 1
        self._waiting.pop(step.id, None)
        at = self.running.pop(step.id, None)
        if outcome.state in ("failed", "skipped"):
            self.failures.append(f"{outcome.state}: {step.label}: {outcome.reason}")
        if outcome.state == "done" and at is not None:
            seconds = self._clock() - (
                at.first[0] if at.first else at.started
            )  # without the loading of its model
            self._took[step.kind].append((step.id, seconds))

    @property
    def elapsed_seconds(self) -> float:
        """Return the time since the run began."""
        return self._clock() - self._since

    def seconds_left(self) -> float | None:
        """Return about how long the run will still take; None if that is unknown."""
        now = self._clock()
        if self._left is None or now - self._left[0] >= RECOMPUTED_SECONDS:
            self._left = (now, self._computed(now))
        return self._left[1]

    def seconds_left_of(self, position: Position) -> float | None:
        """Return about how long a running step will still take; None if that is unknown."""
        return position.seconds_left(self._clock(), self._seconds(position.step))

    def _computed(self, now: float) -> float | None:
        running: dict[str, float] = {}
        for position in list(self.running.values()):
            left = position.seconds_left(now, self._seconds(position.step))
            if left is None:
                return None
            running[position.step.id] = left
        waiting: list[tuple[Step, float]] = []
        for step in list(self._waiting.values()):
            seconds = self._seconds(step)
            if seconds is None:
                return None
            waiting.append((step, seconds))
        return makespan(running, waiting, self._workers)

    def _seconds(self, step: Step) -> float | None:
        """Return how long a whole step takes, as far as that is known."""
        expected, took = self._expected.get(step.id), self._took_by(step.kind)
        if expected is not None:
            return expected * (self._correction(took) or self._correction(self._took_by(None)) or 1.0)
        if took:
            return sum(took.values()) / len(took)
        return 0.0 if step.lane is None else None  # steps without a model take a second or so

    def _took_by(self, kind: str | None) -> dict[str, float]:
        """Return how long steps of a kind (None: of all kinds) took, or will have taken by their own speed."""
        running = {
            at.step.id: at.total / at.per_second
            for at in list(self.running.values())
            if kind in (None, at.step.kind) and at.per_second and at.total
        }
        ended = [took for of, took in list(self._took.items()) if kind in (None, of)]
        return running | {step: seconds for took in ended for step, seconds in took}

    def _correction(self, took: Mapping[str, float]) -> float | None:
        """Return how many times as long as expected these steps took; None if nothing was expected of them."""
        guessed = sum(self._expected.get(step, 0.0) for step in took)
        return sum(s for step, s in took.items() if step in self._expected) / guessed if guessed else None


def makespan(running: dict[str, float], waiting: Iterable[tuple[Step, float]], workers: int) -> float:
    """Return when all steps have ended, if each worker takes the first step that can start.

    `running` has the seconds that running steps still take, `waiting` the steps to come in their order with their seconds.
    """
    order = [(step.id, seconds, step.needs) for step, seconds in waiting]
    seconds = {step: seconds for step, seconds, _ in order}
    open_needs = {step: sum(need in seconds or need in running for need in needs) for step, _, needs in order}
    needed_by: defaultdict[str, list[int]] = defaultdict(list)
    for place, (_, _, needs) in enumerate(order):
        for need in needs:
            needed_by[need].append(place)
    ready = [place for place, (step, _, _) in enumerate(order) if not open_needs[step]]
    busy = [(left, step) for step, left in running.items()]
    heapify(busy)
    now = 0.0
    while ready or busy:
        while ready and len(busy) < workers:
            step = order[heappop(ready)][0]
            heappush(busy, (now + seconds[step], step))
        now, ended = heappop(busy)
        for place in needed_by[ended]:
            step = order[place][0]
            open_needs[step] -= 1
            if not open_needs[step]:
                heappush(ready, place)
    return now


def about(seconds: float | None) -> str:
    """Return a time to come in words, no more precise than it is known: `about 3 min`, `unknown`."""
    if seconds is None:
        return "unknown"
    if seconds < 5:
        return "a few seconds"
    if seconds < 100:
        step = 5 if seconds < 30 else 10
        return f"about {max(step, step * round(seconds / step))} s"
    if seconds < 100 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h" if seconds < 10 * 3600 else f"about {round(seconds / 3600)} h"
