"""How long the steps of a run take side by side: the local engine's own schedule, played with estimated times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.run.schedule import Schedule
from harness.run.steps import find
from harness.types import Outcome, Step

OPENS = ("train", "generate")  # kinds of steps that need their lane's model in memory


@dataclass(slots=True)
class PlayedWorker:
    """A worker of the played run."""

    free_at: float
    lane: str | None = None
    step: Step | None = None
    opened: str | None = None  # the lane whose model it has in memory


def makespan(
    todo: Sequence[Step],
    seconds: Mapping[str, float],  # by step
    workers: int,  # 0: one after another in this process
    opening: Callable[
        [str, bool], float
    ],  # lane, whether it is the worker's first -> seconds until its model is open
) -> float:
    """Return the seconds from the first step to the end of the last; a step without a time counts as none."""

    def one_by_one(steps: Sequence[Step]) -> float:
        return sum(seconds.get(step.id, 0.0) for step in steps)

    tolerant = {step.id for step in todo if find(step.kind).TOLERANT}
    lanes = [step for step in todo if step.lane is not None and step.id not in tolerant]
    alone = [step for step in todo if step.lane is None or step.id in tolerant]
    return one_by_one(alone) + _side_by_side(lanes, seconds, max(1, workers), opening)


def _side_by_side(
    steps: Sequence[Step],
    seconds: Mapping[str, float],
    workers: int,
    opening: Callable[[str, bool], float],
) -> float:
    schedule, now = Schedule(steps), 0.0
    team = [PlayedWorker(free_at=0.0) for _ in range(min(workers, len(steps)))]
    while True:
        for worker in team:
            if worker.step is None:
                _assign(worker, team, schedule, now, seconds, opening)
        busy = [worker for worker in team if worker.step is not None]
        if not busy:
            return now
        ended = min(busy, key=lambda worker: worker.free_at)
        now = ended.free_at
        assert ended.step is not None
        schedule.settle(ended.step, Outcome(step=ended.step.id, state="done"))
        ended.step = None


def _assign(
    worker: PlayedWorker,
    team: Sequence[PlayedWorker],
    schedule: Schedule,
    now: float,
    seconds: Mapping[str, float],
    opening: Callable[[str, bool], float],
) -> None:
    step = schedule.take(worker.lane, {other.lane for other in team if other is not worker})
    if step is None:
        return
    took = seconds.get(step.id, 0.0)
    if step.kind in OPENS and step.lane is not None and worker.opened != step.lane:
        took += opening(step.lane, worker.opened is None)
        worker.opened = step.lane
    worker.lane, worker.step, worker.free_at = step.lane, step, now + took
