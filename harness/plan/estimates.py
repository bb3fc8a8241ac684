"""What a run will take: the time of each step that is to do, and the memory of each model, before anything runs.

    costs of finished steps ─┐
    texts ─ lengths ─ work ──┼─▶ seconds of each step ─ timetable ─▶ seconds of the run
    speed of this machine ───┘
    config.json ─ shape ─────▶ bytes of each part ─▶ memory of each model

Every number says whether it was measured on this machine or is estimated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.files.hardware import Machine
from harness.plan import expected
from harness.plan.costs import step_costs
from harness.plan.known import Known, known
from harness.plan.memory import Basis, Memory, after
from harness.plan.past import Past
from harness.plan.timetable import OPENS, play
from harness.run.repair import missing
from harness.run.store import Store
from harness.types import Plan, Runtime, Step

RUN_SECONDS = 2.0  # of the command itself: imports, the plan, and the report's pages
WEAKEST: tuple[Basis, ...] = ("estimated from the data sheet", "estimated", "measured here")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """How long a step will take, once its model is open."""

    step: str  # its id
    seconds: float
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTime:
    """How long all steps of a lane will take, one after another."""

    lane: str
    seconds: float
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMemory:
    """The memory of one model; None: the plan has no such work, or the model's config.json is not on this machine."""

    model: str
    weights: int | None  # bytes
    answering: Memory | None
    training: Memory | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """The estimates of a plan: the times of the steps that are still to do, and the memory of all models."""

    steps: tuple[StepTime, ...]  # in the order of the plan, without the steps whose time is not known
    unknown: tuple[str, ...]  # ids of these
    lanes: tuple[LaneTime, ...]
    models: tuple[ModelMemory, ...]
    workers: int
    seconds: float  # of the whole run, with the workers side by side
    basis: Basis  # the weakest of the steps'

    def of(self, step: str) -> StepTime | None:
        """Return the time of a step; None if it is not to do, or not known."""
        return next((time for time in self.steps if time.step == step), None)


def estimate(plan: Plan, store: Store, runtime: Runtime, machine: Machine) -> Estimates:
    """Return the estimates of a plan for a run with these settings on this machine.

    A step's time is the one that its sizes and the machine's speed give, times the median ratio of measured and given
    times of the finished steps of its kind and model on the same hardware, where the store has any.
    """
    todo = missing(plan, store)
    facts = known(plan, store, runtime, machine, timed=any(step.kind in OPENS for step in todo))
    revisions = frozenset(pin.revision for pin in plan.pins.models.values())
    costs = step_costs(store, str(machine), frozenset(step.kind for step in plan.steps), revisions)
    past = Past.of(facts, costs)
    times = [time for step in todo if (time := _time(step, facts, past)) is not None]
    alone = {model.name: _memory(model.name, facts, past) for model in plan.suite.models}
    facts.lengths.save()
    seconds = {time.step: time.seconds for time in times}

    def opening(lane: str, first: bool) -> float:
        return past.opening(facts, lane, first=first)

    played = play(todo, seconds, runtime.workers, opening)
    return Estimates(
        steps=tuple(times),
        unknown=tuple(step.id for step in todo if step.id not in seconds),
        lanes=_lanes(todo, times),
        models=tuple(_with_heap(memory, alone, played.before) for memory in alone.values()),
        workers=runtime.workers,
        seconds=played.seconds + RUN_SECONDS if todo else 0.0,
        basis=_weakest(times),
    )


def _time(step: Step, facts: Known, past: Past) -> StepTime | None:
    """Return a step's time; None if neither its sizes nor any finished step tell it."""
    given = expected.seconds(facts, step.spec, facts.task_of(step.id))
    if given is None:
        return None
    ratio = past.ratio(step)
    if ratio is not None:
        return StepTime(step=step.id, seconds=given * ratio, basis="measured here")
    if not expected.sure(facts, step.spec):
        return None
    sheet = facts.published and step.kind in OPENS
    return StepTime(
        step=step.id, seconds=given, basis="estimated from the data sheet" if sheet else "estimated"
    )


def _lanes(todo: Sequence[Step], times: Sequence[StepTime]) -> tuple[LaneTime, ...]:
    by_step = {time.step: time for time in times}
    found: dict[str, list[StepTime]] = {}
    for step in todo:
        if step.lane is not None and step.id in by_step:
            found.setdefault(step.lane, []).append(by_step[step.id])
    return tuple(
        LaneTime(lane=lane, seconds=sum(time.seconds for time in of_lane), basis=_weakest(of_lane))
        for lane, of_lane in found.items()
    )


def _memory(model: str, facts: Known, past: Past) -> ModelMemory:
    loaded = facts.loaded.get(model)
    if loaded is None:
        return ModelMemory(model=model, weights=None, answering=None, training=None)
    answering, training = (_peak(model, kind, facts, past) for kind in ("generate", "train"))
    return ModelMemory(model=model, weights=loaded.weights, answering=answering, training=training)


def _with_heap(
    model: ModelMemory, alone: Mapping[str, ModelMemory], before: Mapping[str, tuple[str, ...]]
) -> ModelMemory:
    """Return a model's memory in a worker that did other work before: a process keeps what that work freed."""
    earlier = [
        memory
        for lane in before.get(model.model, ())
        for memory in (alone[lane].training, alone[lane].answering)
        if memory is not None
    ]
    training = model.training and after(earlier, model.training)
    answering = model.answering and after([*earlier, *([training] if training else [])], model.answering)
    return replace(model, training=training, answering=answering)


def _peak(model: str, kind: str, facts: Known, past: Past) -> Memory | None:
    """Return the largest peak of a model's steps of a kind, each measured if a step with the same settings has run."""
    found = []
    for step in facts.plan.steps:
        if step.kind == kind and step.lane == model:
            memory = expected.memory(facts, step.spec, facts.task_of(step.id))
            peak = past.peak(step)
            if memory is not None:
                found.append(replace(memory, bytes=peak, basis="measured here") if peak else memory)
    return max(found, key=lambda memory: memory.bytes, default=None)


def _weakest(times: Sequence[StepTime]) -> Basis:
    return min((time.basis for time in times), key=WEAKEST.index, default="measured here")
