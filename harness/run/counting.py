"""How a running step says how far it is."""

from typing import Protocol

LOADING = "loading"  # what a step does while a model is read into memory
ELSEWHERE = "another process works on it"


class Count(Protocol):
    """Is called by a step with how much of it is done."""

    def __call__(self, done: int, total: int, doing: str = "") -> None:
        """Take how much is done, how much there is (0 if unknown), and what the step does: `LOADING`, or "loss 1.92"."""
        ...


def uncounted(done: int, total: int, doing: str = "") -> None:
    """Take a step's progress and do nothing with it."""
