"""Say what a plan's RESULT will contain, so that gates can be looked at before anything runs."""

from pathlib import Path

from harness import text as words
from harness.gates.checks import checks, never_judged
from harness.gates.rules import stated
from harness.results import AdapterFacts, Result, StepFacts, SuiteFacts, TaskFacts
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.types import Gate, Plan


def expected(plan: Plan) -> Result:
    """Return a result with the tasks, adapters and scores that the plan will have: enough to find what gates name."""
    suite = plan.suite
    adapters = next(step.spec.adapters for step in plan.steps if isinstance(step.spec, Report))
    return Result(
        folder=Path(),
        suite=SuiteFacts(
            name=suite.name,
            tasks=tuple(TaskFacts(name=t.name, primary=t.primary, metrics=t.metrics) for t in suite.tasks),
            models=(),
            adapters=tuple(
                AdapterFacts(
                    name=adapter.name,
                    model=adapter.model,
                    recipe=adapter.recipe,
                    trained_on=adapter.trained_on,
                )
                for adapter in adapters
            ),
        ),
        scores=(),
        comparisons=(),
        steps=tuple(
            StepFacts(id=step.id, kind="score", state="done", task=step.spec.task, system=step.spec.system)
            for step in plan.steps
            if isinstance(step.spec, ScoreAnswers)
        ),
    )


def covered(part: Plan, whole: Plan) -> tuple[tuple[Gate, ...], tuple[str, ...]]:
    """Return the gates that a part of a suite can be judged by, and a sentence for each other gate.

    A gate that even the whole suite could not be judged by is kept, so that its mistake is found.
    """
    kept, left = [], []
    here, there = expected(part), expected(whole)
    for number, gate in enumerate(part.suite.gates):
        if _can_be_judged(gate, there) and not _can_be_judged(gate, here):
            name = gate.name or " and ".join(stated(gate))
            left.append(
                f"gates[{number}] ({words.line(name)}) is not judged: --only leaves out what it names"
            )
        else:
            kept.append(gate)
    return tuple(kept), tuple(left)


def _can_be_judged(gate: Gate, result: Result) -> bool:
    return any(
        not check.problem and not never_judged(check, check.gate.against) for check in checks([gate], result)
    )
