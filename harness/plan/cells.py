"""Decide which system answers which task, and why one cannot be asked."""

from collections.abc import Sequence

from harness import kinds
from harness.plan.adapters import Candidate, runs_on
from harness.plan.builder import PlanBuilder
from harness.plan.steps import splits_needed
from harness.types import (
    Model,
    System,
    Task,
)


def systems(
    builder: PlanBuilder, task: Task, candidates: Sequence[Candidate]
) -> list[tuple[System, Candidate | None, Model | None]]:
    """Return the systems that answer a task: trivial rules, bases at each number of shots, and adapters."""
    suite = builder.suite
    found: list[tuple[System, Candidate | None, Model | None]] = [
        (System.of_rule(rule), None, None) for rule in task.trivial
    ]
    for model in suite.models:
        found += [(System(model=model.name, shots=shots), None, model) for shots in suite.base_shots]
        found += [
            (System(model=model.name, adapter=candidate.name), candidate, model)
            for candidate in candidates
            if candidate.model == model and runs_on(suite, task, candidate.trained_on)
        ]
    return found


def why_not_applicable(
    builder: PlanBuilder, task: Task, candidate: Candidate | None, model: Model, shots: int
) -> str | None:
    """Return why a system cannot be asked a task, as a clause; None where it can."""
    kind, pin = kinds.find(task.kind), builder.pins.models[model.name]
    if kind.verb(task, model, pin) == "head":
        if candidate and candidate.trained_on not in (None, task.name):
            return f"its head was trained for the labels of {candidate.trained_on}"
        if shots:
            return "an encoder reads no examples"
        if candidate is None and "train" not in splits_needed(builder.suite, task):
            return "its head is not trained"
    return kind.lacks(task, model, pin)


def stand_in(builder: PlanBuilder, task: Task, system: System, model: Model | None) -> str | None:
    """Return the trivial rule that answers for a system: its own, or that in place of a base without a trained head."""
    if model is None or system.adapter:
        return system.rule
    kind = kinds.find(task.kind)
    return kind.stand_in if kind.verb(task, model, builder.pins.models[model.name]) == "head" else None
