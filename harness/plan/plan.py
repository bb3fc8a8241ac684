"""Make the plan of a suite: every step, each with an id made of all that can move its result.

The plan depends on the suite and its pins alone: no file, clock or environment is read.
"""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.backends import trainable
from harness.errors import SuiteError
from harness.plan import judges, scales, steps
from harness.plan.adapters import existing, trained
from harness.plan.builder import Parts, PlanBuilder
from harness.plan.cells import stand_in, systems, why_not_applicable
from harness.plan.expected_result import covered
from harness.plan.only import WHOLE, Only
from harness.plan.refusals import refuse_unable, refuse_unknown, refuse_unknown_adapter, refuse_untrainable
from harness.run.steps import PlanPart
from harness.suite.stages import trained_tasks
from harness.types import (
    Pins,
    Plan,
    Step,
    Suite,
    System,
    Unasked,
)


def plan(
    suite: Suite,
    pins: Pins,
    *,
    seed: int = 0,
    limit: int | None = None,
    part: Only = WHOLE,
) -> Plan:
    """Return all steps of a suite, or of the part that is asked for; each step comes after the steps that it needs.

    Gates that name only what is left out are not part of the plan's suite: `unjudged` says which.
    """
    drawn = _drawn(suite, pins, seed, limit, part)
    if part == WHOLE or not suite.gates:
        return drawn
    try:
        whole = _drawn(suite, pins, seed, limit, WHOLE)
    except SuiteError:  # the part can be planned where the whole cannot
        return drawn
    kept, unjudged = covered(drawn, whole)
    drawn = _drawn(replace(suite, gates=kept), pins, seed, limit, part) if unjudged else drawn
    return replace(drawn, unjudged=unjudged)


def _drawn(suite: Suite, pins: Pins, seed: int, limit: int | None, part: Only) -> Plan:
    refuse_untrainable(suite, part)
    refuse_unknown("task", part.task, (task.name for task in suite.tasks), part)
    refuse_unknown("model", part.model, (model.name for model in suite.models), part)
    suite = replace(
        suite, models=tuple(model for model in suite.models if fnmatchcase(model.name, part.model))
    )
    builder = PlanBuilder(
        suite=suite, pins=pins, seed=seed, limit=suite.limit if limit is None else limit, only=part
    )
    refuse_unknown_adapter(suite, part)
    asked = builder.asked
    refuse_unable(suite, pins, asked)
    loads = {
        task.name: steps.load(builder, task)
        for task in suite.tasks
        if task in asked
        or task.name in trained_tasks(suite)
        or (suite.scales and task.name == suite.forgetting)
    }
    candidates = [*trained(builder, loads), *existing(builder)]
    parts: Parts = [(PlanPart(kind="load", task=name), step) for name, step in loads.items()]
    unasked: list[Unasked] = []
    for candidate in candidates:
        if candidate.step:
            system = System(model=candidate.model.name, adapter=candidate.name)
            parts.append((PlanPart(kind="train", system=system), candidate.step))
    for task in asked:
        answered: dict[
            System, list[Step]
        ] = {}  # the blocks of answers of each system so far; a base comes before its adapters
        for system, adapted, model in systems(builder, task, candidates):
            if model and (reason := why_not_applicable(builder, task, adapted, model, system.shots)):
                unasked.append(Unasked(task=task.name, system=system, reason=reason))
                continue
            rule = stand_in(builder, task, system, model)
            blocks = steps.generate(builder, task, system, adapted, None if rule else model, loads[task.name])
            parts += [(PlanPart(kind="generate", task=task.name, system=system), block) for block in blocks]
            answered[system] = blocks
            judged = judges.judge(builder, task, system, loads[task.name], rule, answered, candidates)
            parts += [(PlanPart(kind="judge", task=task.name, system=system), step) for step in judged]
            scored = steps.score(builder, task, system, loads[task.name], [*blocks, *judged], model, rule)
            instead = rule if rule and model else ""
            about = PlanPart(kind="score", task=task.name, system=system, stand_in=instead)
            parts.append((about, scored))
            parts += steps.foreign(builder, task, system, loads[task.name], scored)
        parts += judges.calibrate(builder, task, candidates)
    parts += scales.scaled(builder, loads, candidates)
    parts += steps.spectra(builder, candidates)
    parts += [steps.compare(builder, task, candidates, parts) for task in asked]
    steps.report(builder, candidates, parts, unasked)
    return Plan(suite=suite, pins=pins, steps=tuple(builder.steps.values()), unasked=tuple(unasked))


def untrained(plan: Plan) -> Iterator[str]:
    """Yield a line for each model that the suite's recipes leave out because it cannot be trained."""
    for model in plan.suite.models:
        if plan.suite.recipes and not trainable(model):
            yield f"model {model.name}: {model.uri} cannot be trained; it is measured without the recipes' adapters"


def not_applicable(plan: Plan) -> Iterator[str]:
    """Yield a line for each task and reason for which systems of the plan cannot be asked it."""
    addresses = {model.name: model.uri for model in plan.suite.models}
    systems: dict[tuple[str, str, bool], list[str]] = {}
    for cell in plan.unasked:
        address = (
            f"{addresses.get(cell.system.model or '', '')} "  # a reason about the model itself begins with it
        )
        own = cell.reason.startswith(address)
        reason = cell.reason.removeprefix(address) if own else cell.reason
        systems.setdefault((cell.task, reason, own), []).append(str(cell.system))
    for (task, reason, own), names in systems.items():
        who = "" if not own else "each " if len(names) > 1 else "it "
        yield f"task {task}: not applicable to {', '.join(names)}: {who}{reason}"
