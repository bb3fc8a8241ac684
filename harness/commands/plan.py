"""Show what a run would do: each step and its time, the memory of each model, and the time of the whole run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness import text as words
from harness.commands.check import unread
from harness.files.hardware import machine
from harness.plan import fits
from harness.plan.estimates import Estimates, ModelMemory, estimate
from harness.plan.memory import Basis, Memory
from harness.plan.outlook import outlook
from harness.plan.plan import untrained
from harness.run.repair import missing
from harness.run.steps import answers_left
from harness.run.store import Store, relatives
from harness.types import Plan, Runtime

MARKS: dict[Basis, str] = {"measured here": "m", "estimated": "e", "estimated from the data sheet": "d"}
NOT_KNOWN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with what is shown of it."""

    plan: Plan
    store: Store
    todo: frozenset[str]  # ids of steps
    estimates: Estimates


def view(plan: Plan, store: Store, runtime: Runtime) -> PlanView:
    """Return a plan with its estimates for a run with these settings on this machine."""
    todo = frozenset(step.id for step in missing(plan, store))
    return PlanView(plan=plan, store=store, todo=todo, estimates=estimate(plan, store, runtime, machine()))


def show(shown: PlanView, console: Console) -> None:
    """Print the tables of steps and of models."""
    console.print(_steps(shown))
    console.print()
    console.print(_models(shown))


def lines(shown: PlanView, earlier: Path | None, *, cache: Path, offline: bool) -> Iterator[str]:
    """Yield the lines below the tables: what does not fit, what gates will say, and the time of the whole run."""
    plan = shown.plan
    yield from untrained(plan)
    yield from plan.unjudged
    yield from unread(plan, offline=offline)
    yield from fits.lines(plan, cache=cache, offline=offline)
    yield from outlook(plan, earlier)
    yield from _totals(shown)
    yield f"{len(shown.todo)} of {len(plan.steps)} steps to do"


def _steps(shown: PlanView) -> Table:
    table = Table("step", "kind", "what", "time", "state", box=None)
    for step in shown.plan.steps:
        time = shown.estimates.of(step.id)
        seconds = "" if step.id not in shown.todo else NOT_KNOWN
        if time is not None:
            seconds = f"{_duration(time.seconds)} {MARKS[time.basis]}"
        table.add_row(step.id, step.kind, step.label, seconds, _state(shown, step.id, step.lineage))
    return table


def _models(shown: PlanView) -> Table:
    where = "GPU" if shown.plan.pins.device == "cuda" else "worker"
    table = Table(
        "model", "parameters", "dtype", "weights", f"{where}: to answer", f"{where}: to train", box=None
    )
    for model, memory in zip(shown.plan.suite.models, shown.estimates.models, strict=True):
        pin = shown.plan.pins.models[model.name]
        dtype = pin.dtype if model.quantization == "none" else f"{model.quantization}, {pin.dtype}"
        table.add_row(model.name, _count(pin.parameters), dtype, *_memory(memory))
    return table


def _memory(memory: ModelMemory) -> tuple[str, str, str]:
    weights = NOT_KNOWN if memory.weights is None else _bytes(memory.weights)
    return weights, _peak(memory.answering), _peak(memory.training)


def _peak(memory: Memory | None) -> str:
    return "" if memory is None else f"{_bytes(memory.bytes)} {MARKS[memory.basis]}"


def _totals(shown: PlanView) -> Iterator[str]:
    """Yield what the marks mean, the parts of each model's memory, and the time by lane and of the whole run."""
    found = shown.estimates
    for model in found.models:
        for what, memory in (("answering", model.answering), ("training", model.training)):
            if memory is not None:
                parts = ", ".join(f"{part.name} {_bytes(part.bytes)}" for part in memory.parts)
                yield f"model {model.model}, {what}: {parts} (estimated)"
    for lane in found.lanes:
        yield f"lane {lane.lane}: {_duration(lane.seconds)} ({lane.basis})"
    if shown.todo:
        less = (
            f", without {words.plural(len(found.unknown), 'step')} of unknown time" if found.unknown else ""
        )
        with_workers = words.plural(found.workers, "worker")
        yield f"the run: {_duration(found.seconds)} with {with_workers} ({_bases(found)}{less})"


def _bases(found: Estimates) -> str:
    """Return how much of the time each basis has: "80 % of the work measured here, 20 % estimated"."""
    total = sum(time.seconds for time in found.steps)
    shares = {basis: sum(time.seconds for time in found.steps if time.basis == basis) for basis in MARKS}
    said = [
        f"{100 * share / total:.0f}{words.SPACE}% {basis}"
        for basis, share in shares.items()
        if share and total
    ]
    return ", ".join(said) or found.basis


def _state(shown: PlanView, step: str, lineage: str) -> str:
    store = shown.store
    if step not in shown.todo:
        return "kept" if store.has(step) else "not needed"
    if (answers := answers_left(store.work(step))) is not None:
        return f"to do; {answers} answers are left of an interrupted run"
    if store.work(step).is_dir():
        return "to do; continues an interrupted run"
    if relatives(store, lineage):
        return "to do; continues a run with another limit"
    return "to do; not in the store"


def _count(parameters: int | None) -> str:
    return NOT_KNOWN if parameters is None else f"{parameters / 1e6:,.1f} M"


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.2f}{words.SPACE}GB" if count >= 1e8 else f"{count / 1e6:,.1f}{words.SPACE}MB"


def _duration(seconds: float) -> str:
    """Return a duration as people say it: 0.3 s, 45 s, 12 min, 5.2 h."""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f}{words.SPACE}s"
    if seconds < 90:
        return f"{seconds:.0f}{words.SPACE}s"
    return f"{seconds / 60:.0f}{words.SPACE}min" if seconds < 5400 else f"{seconds / 3600:.1f}{words.SPACE}h"
