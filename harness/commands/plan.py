"""Show what a run would do: each step and its time, the memory of each model, and the time of the whole run."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Column, Table

from harness import backends
from harness import text as words
from harness.commands.dry_run import DryRun
from harness.files.hardware import machine
from harness.plan.estimates import Estimates
from harness.plan.known import GPU_BYTES
from harness.plan.memory import LEFT, Basis, Memory

ABOUT = "≈"  # before a number that is estimated
PARTS = ("weights", "keys and values", "activations", "logits", "factors, optimiser", "libraries", LEFT)
NOT_KNOWN = "?"


def show(shown: DryRun, console: Console) -> None:
    """Print the tables of steps and of models."""
    console.print(_steps(shown))
    for table in (_models(shown), _peaks(shown)):
        console.print()
        console.print(table)


def lines(shown: DryRun) -> Iterator[str]:
    """Yield the lines below the tables: what the user should read, and the time of the whole run."""
    yield from shown.remarks
    yield from _totals(shown)
    yield f"{len(shown.to_do)} of {len(shown.plan.steps)} steps to do"


def _steps(shown: DryRun) -> Table:
    table = Table("step", "kind", "what", Column("time", justify="right"), "state", box=None)
    to_do = {step.id for step in shown.to_do}
    for step in shown.plan.steps:
        time = shown.estimates.of(step.id)
        seconds = NOT_KNOWN if step.id in to_do else ""
        if time is not None:
            seconds = _said(duration(time.seconds), time.basis)
        table.add_row(step.id, step.kind, step.label, seconds, shown.states[step.id])
    return table


def _models(shown: DryRun) -> Table:
    table = Table("model", Column("parameters", justify="right"), "dtype", "weights", box=None)
    for model, memory in zip(shown.plan.suite.models, shown.estimates.models, strict=True):
        pin = shown.plan.pins.models[model.name]
        dtype = pin.dtype if model.quantization == "none" else f"{model.quantization}, {pin.dtype}"
        weights = NOT_KNOWN if memory.weights is None else _said(size(memory.weights), "estimated")
        if backends.of(model).folder is None:
            weights = "none"
        if backends.of(model).pin_adapter is not None:
            dtype = ""  # of weights on a server, which does not say
        table.add_row(model.name, _count(pin.parameters), dtype, weights)
    return table


def _peaks(shown: DryRun) -> Table:
    """Return the table of the memory that each model needs at its peak, part by part."""
    where = "on a GPU" if shown.plan.pins.device == "cuda" else "in a worker"
    works = [
        (model.model, work, memory)
        for model in shown.estimates.models
        for work, memory in (("answer", model.answering), ("train", model.training))
        if memory is not None
    ]
    names = [name for name in PARTS if any(name in _of_part(memory) for _, _, memory in works)]
    columns = [Column(name, justify="right") for name in (*names, f"peak {where}")]
    table = Table("model", "work", *columns, box=None)
    for model, work, memory in works:
        found = _of_part(memory)
        cells = [_said(size(found[name]), "estimated") if name in found else "" for name in names]
        table.add_row(model, work, *cells, _said(size(memory.bytes), memory.basis))
    return table


def _of_part(memory: Memory) -> dict[str, int]:
    return {part.name: part.bytes for part in memory.parts}


def _totals(shown: DryRun) -> Iterator[str]:
    """Yield the time of each lane and of the whole run, and what ≈ means."""
    found, machine_here = shown.estimates, machine()
    yield from _too_little(shown)
    for lane in found.lanes:
        yield f"lane {lane.lane}: {_said(duration(lane.seconds), lane.basis)}"
    if shown.to_do:
        less = (
            f", without {words.plural(len(found.unknown), 'step')} of unknown time" if found.unknown else ""
        )
        team = "one step after another" if not found.workers else words.plural(found.workers, "worker")
        yield f"the run: {_said(duration(found.seconds), found.basis)} with {team}{less}; {_bases(found)}"
        if found.lanes:
            yield "a lane's time is that of its steps; the run's has also the start of processes and the opening of models"
    yield (
        f"{ABOUT} is estimated, {_source(shown)}; a number without {ABOUT} is from steps that ran on {machine_here}"
    )


def _source(shown: DryRun) -> str:
    """Return what estimates are made from."""
    if shown.plan.pins.device == "cpu":
        return "from the models' sizes and this processor's measured speed"
    gpu = machine().gpu
    if gpu is None:
        return (
            f"from the models' sizes alone, for a GPU of {size(GPU_BYTES)}, because this machine has no GPU"
        )
    return f"from the models' sizes and the data sheet of the {gpu}"


def _too_little(shown: DryRun) -> Iterator[str]:
    """Yield a line for each model that needs more memory than there is."""
    here, workers = machine(), max(1, shown.estimates.workers)
    cuda = shown.plan.pins.device == "cuda"
    there = (here.gpu_bytes or GPU_BYTES) if cuda else here.memory_gb * 1e9 / workers
    for model in shown.estimates.models:
        peaks = [memory for memory in (model.answering, model.training) if memory is not None]
        most = max(peaks, key=lambda memory: memory.bytes, default=None)
        if most is not None and most.bytes > there:
            place = (
                f"the GPU has {size(there)}"
                if cuda
                else f"{words.plural(workers, 'worker')} share {here.memory_gb} GB"
            )
            remedy = (
                "lower micro_batch_size, or set gradient_checkpointing: true or a quantization"
                if cuda
                else ("give fewer --workers, or lower micro_batch_size")
            )
            yield f"model {model.model} needs {_said(size(most.bytes), most.basis)}, and {place}; {remedy}"


def _bases(found: Estimates) -> str:
    """Return how much of the steps' time has which basis: "80 % of its steps' time measured here, 20 % estimated"."""
    total = sum(time.seconds for time in found.steps)
    shares: dict[Basis, float] = {}
    for time in found.steps:
        shares[time.basis] = shares.get(time.basis, 0.0) + time.seconds
    said = [f"{100 * share / total:.0f}{words.SPACE}% {basis}" for basis, share in shares.items() if total]
    return f"of its steps' time {', '.join(said)}" if said else found.basis


def _said(number: str, basis: Basis) -> str:
    return number if basis == "measured here" else f"{ABOUT}{words.SPACE}{number}"


def _count(parameters: int | None) -> str:
    return NOT_KNOWN if parameters is None else f"{parameters / 1e6:,.1f} M"


def size(count: float) -> str:
    """Return bytes as people say them: 4.6 MB, 0.58 GB."""
    return f"{count / 1e9:,.2f}{words.SPACE}GB" if count >= 1e8 else f"{count / 1e6:,.1f}{words.SPACE}MB"


def duration(seconds: float) -> str:
    """Return a duration as people say it: 0.3 s, 45 s, 12 min, 5.2 h."""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f}{words.SPACE}s"
    if seconds < 90:
        return f"{seconds:.0f}{words.SPACE}s"
    if seconds < 5400:
        return f"{seconds / 60:.0f}{words.SPACE}min"
    return f"{seconds / 3600:.1f}{words.SPACE}h"
