"""Add the steps that ask trained adapters at several scales of their updates."""

from collections.abc import Mapping, Sequence

from harness import backends, kinds, metrics
from harness.errors import SuiteError
from harness.plan.adapters import Candidate
from harness.plan.builder import Parts, PlanBuilder, asked_task, model_plugins, used_model
from harness.plugins.choice import parse
from harness.run.steps import PlanPart
from harness.run.steps import scale as scale_step
from harness.types import Step, System, Task


def scaled(builder: PlanBuilder, loads: Mapping[str, Step], candidates: Sequence[Candidate]) -> Parts:
    """Return a step for each adapter that the plan trains; none where the suite names no scales."""
    found: Parts = []
    for candidate in candidates if builder.suite.scales else ():
        if candidate.step is None or candidate.trained_on is None:
            continue  # an adapter that exists already: it is not known on what it was trained
        own = next(task for task in builder.suite.tasks if task.name == candidate.trained_on)
        step = _scaled(builder, loads, candidate, own)
        system = System(model=candidate.model.name, adapter=candidate.name)
        found.append((PlanPart(kind="scale", task=own.name, system=system), step))
    return found


def _scaled(builder: PlanBuilder, loads: Mapping[str, Step], candidate: Candidate, own: Task) -> Step:
    assert candidate.step is not None
    model, pin = candidate.model, builder.pins.models[candidate.model.name]
    if kinds.find(own.kind).verb(own, model, pin) == "head":
        raise SuiteError(
            f"scales: {model.name} + {candidate.name} has a head beside its update, and is no base at the scale 0; leave "
            "out `scales`, or the model"
        )
    text = next((task for task in builder.suite.tasks if task.name == builder.suite.forgetting), None)
    if text is not None and (text == own or kinds.find(text.kind).verb(text, model, pin) is None):
        text = None
    spec = scale_step.ScaleUpdate(
        used=used_model(builder, model),
        adapter=candidate.used,
        own=_asked(builder, own, pin.family),
        scales=tuple(sorted({0.0, 1.0, *builder.suite.scales})),
        samples=builder.limit,
        seed=builder.seed,
        device=builder.pins.device,
        text=None if text is None else _asked(builder, text, pin.family),
    )
    tasks = [own] if text is None else [own, text]
    needs = [*(loads[task.name] for task in tasks), candidate.step]
    used = [("kinds", task.kind) for task in tasks] + model_plugins(builder, model)
    used += [("metrics", parse(each.metric).own) for each in (spec.own, *([spec.text] if spec.text else []))]
    label = f"scale {model.name} + {candidate.name}"
    libraries = backends.of(model).libraries
    return builder.add(scale_step, spec, needs, label, model.name, plugins=used, libraries_too=libraries)


def _asked(builder: PlanBuilder, task: Task, family: str | None) -> scale_step.ScaledTask:
    metric = next(metric for metric in task.metrics if task.primary in metrics.score_names(metric))
    asked = asked_task(task, 0, family)
    return scale_step.ScaledTask(name=task.name, task=asked, metric=metric, score=task.primary)
