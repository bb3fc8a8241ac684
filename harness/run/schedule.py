"""Keep track of which steps of a run still wait, and which of them can start."""

import time
from collections.abc import Collection, Iterable

from harness.types import Outcome, Step

BUSY_SECONDS = 1.0  # before a step that another process has is tried again


class Schedule:
    """The steps that an engine has still to run; each comes after the steps that it needs."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.waiting = list(steps)
        self._ours = frozenset(step.id for step in self.waiting)
        self._ended: set[str] = set()
        self._not_before: dict[str, float] = {}  # step -> monotonic seconds

    def take(self, lane: str | None = None, taken: Collection[str | None] = ()) -> Step | None:
        """Remove and return a step that can start; None if no step can start yet.

        A step of `lane`, the lane of the asking worker, is preferred, then one of a lane that no other worker has taken.
        """
        now = time.monotonic()
        ready = [
            step for step in self.waiting if self._ready(step) and self._not_before.get(step.id, 0.0) <= now
        ]
        if not ready:
            return None
        step = min(ready, key=lambda step: 0 if step.lane == lane else 1 if step.lane not in taken else 2)
        self.waiting.remove(step)
        return step

    def put_back(self, step: Step) -> None:
        """Put a step that was taken back, before all others."""
        self.waiting.insert(0, step)

    def settle(self, step: Step, outcome: Outcome) -> bool:
        """Record how a step ended; return False if another process has the step, which then has to wait again."""
        if outcome.state in ("busy", "lost"):
            self._not_before[step.id] = time.monotonic() + BUSY_SECONDS
            self.waiting.append(step)
            return False
        if outcome.state == "failed":
            self._drop_dependants(step.id)
        else:
            self._ended.add(step.id)
        return True

    def _ready(self, step: Step) -> bool:
        return all(need in self._ended or need not in self._ours for need in step.needs)

    def _drop_dependants(self, lost: str) -> None:
        """Remove the steps that need a step without a result; the caller of the engine records these."""
        gone = {lost}
        for step in list(self.waiting):
            if gone.intersection(step.needs):
                gone.add(step.id)
                self.waiting.remove(step)
