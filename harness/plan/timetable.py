"""How long the steps of a run take side by side: the local engine's own schedule, played with estimated times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
    opened: list[str] = field(default_factory=list)  # lanes whose models it opened; it has the last in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A played run."""

    seconds: float  # from the first step to the end of the last
    before: Mapping[str, tuple[str, ...]]  # lane -> lanes whose models its worker had open earlier


def play(
    todo: Sequence[Step],
    seconds: Mapping[str, float],  # by step
    workers: int,  # 0: one after another in this process
    opening: Callable[
        [str, bool], float
    ],  # lane, whether it is the worker's first -> seconds until its model is open
) -> Played:
    """Return how a run goes; a step without a time counts as none."""

    def one_by_one(steps: Sequence[Step]) -> float:
        return sum(seconds.get(step.id, 0.0) for step in steps)

    tolerant = {step.id for step in todo if find(step.kind).TOLERANT}
    lanes = [step for step in todo if step.lane is not None and step.id not in tolerant]
    alone = [step for step in todo if step.lane is None or step.id in tolerant]
    team = [PlayedWorker(free_at=0.0) for _ in range(min(max(1, workers), len(lanes)))]
    together = _side_by_side(lanes, seconds, team, opening)
    before: dict[str, tuple[str, ...]] = {}
    for worker in team:
        for at, lane in enumerate(worker.opened):
            before.setdefault(lane, tuple(worker.opened[:at]))
    return Played(seconds=one_by_one(alone) + together, before=before)


def _side_by_side(
    steps: Sequence[Step],
    seconds: Mapping[str, float],
    team: Sequence[PlayedWorker],
    opening: Callable[[str, bool], float],
) -> float:
    schedule, now = Schedule(steps), 0.0
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
    if step.kind in OPENS and step.lane is not None and step.lane not in worker.opened[-1:]:
        took += opening(step.lane, not worker.opened)
        worker.opened.append(step.lane)
    worker.lane, worker.step, worker.free_at = step.lane, step, now + took
