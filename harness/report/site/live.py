"""The records of a run that is going on, as its process writes them into the store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStep:
    """A step that is running."""

    label: str
    done: int = 0
    total: int = 0  # 0: unknown
    says: str = ""  # "12 of 60, 3.1 steps/s, about 20 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A run that is going on."""

    suite: str
    out: str  # where its RESULT is published
    since: str  # ISO 8601, UTC
    elapsed_seconds: float
    done: int  # steps
    total: int
    left: str  # "about 3 min", "unknown"
    running: tuple[LiveStep, ...] = ()
    failures: tuple[str, ...] = ()
