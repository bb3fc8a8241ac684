"""What is known of a plan's models, texts and machine before anything runs: what its estimates are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness import backends, families
from harness.checkpoints.shape import shape
from harness.errors import ModelError
from harness.files import speed as machine_speed
from harness.files.hardware import Machine
from harness.files.speed import Speed
from harness.neural import architectures
from harness.plan import lengths
from harness.plan.datasheet import published
from harness.plan.lengths import KnownLengths
from harness.plan.memory import Loaded
from harness.results import AdapterFacts
from harness.run.steps import PlanPart
from harness.run.steps.report import Report
from harness.run.store import Store
from harness.types import Model, Pins, Plan, Runtime, System

GPU_BYTES = (
    24e9  # of the GPU that memory is estimated for where none is here; the keys and values take a share of it
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that the times and the memory of a plan's steps are estimated from."""

    plan: Plan
    runtime: Runtime
    memory_bytes: float  # of the machine, or of the GPU
    speed: Speed | None  # of a worker; None: not known
    published: bool  # the speed is that of a data sheet
    lengths: KnownLengths
    loaded: Mapping[str, Loaded]  # by model, if its config.json is here
    parts: Mapping[str, PlanPart]  # by step
    adapters: Mapping[System, AdapterFacts]

    def task_of(self, step: str) -> str | None:
        """Return the name of the task that a step is about, or that an adapter is trained on."""
        part = self.parts.get(step)
        if part is None:  # a training that is not asked for, whose adapter another one starts from
            found = next((other for other in self.plan.steps if other.id == step), None)
            return self.task_of(found.needs[0]) if found is not None and found.kind == "train" else None
        if part.kind == "train" and part.system is not None:
            return self.adapters[part.system].trained_on
        return part.task or None


def known(
    plan: Plan,
    store: Store,
    runtime: Runtime,
    machine: Machine,
    *,
    timed: bool,  # whether the speed of this machine is asked for, which is measured the first time
) -> Known:
    """Return what is known of a plan for a run with these settings."""
    report = plan.steps[-1]
    assert isinstance(report.spec, Report)
    cuda = plan.pins.device == "cuda"
    loaded = {model.name: _loaded(model, plan.pins) for model in plan.suite.models}
    speed = None
    if timed and any(loaded.values()):
        speed = machine_speed.speed(runtime.threads, store.root / machine_speed.FILE)
    return Known(
        plan=plan,
        runtime=runtime,
        memory_bytes=machine.gpu_bytes or GPU_BYTES if cuda else machine.memory_gb * 1e9,
        speed=published(machine.gpu or "", speed.call) if cuda and speed else speed,
        published=cuda,
        lengths=KnownLengths.load(plan, store.root / lengths.FILE, offline=runtime.offline),
        loaded={name: found for name, found in loaded.items() if found is not None},
        parts=dict(zip(report.needs, report.spec.parts, strict=True)),
        adapters={
            System(model=adapter.model, adapter=adapter.name): adapter for adapter in report.spec.adapters
        },
    )


def _loaded(model: Model, pins: Pins) -> Loaded | None:
    """Return a model's sizes; None if its config.json is not on this machine, or has no sizes that are known."""
    pin = pins.models[model.name]
    try:
        config = backends.of(model).config(model, pin)
        sizes = None if config is None else shape(config, f"model {model.name}: config.json")
    except ModelError:
        return None
    if sizes is None:
        return None
    return Loaded(
        shape=sizes,
        family=families.find(pin.family or "generic"),
        parameters=pin.parameters or sizes.parameters,
        dtype=pin.dtype,
        quantization=model.quantization,
        device=pins.device,
        writes=architectures.find(pin.architecture).writing is not None,
    )
