"""Check whether a system can be judged at all: the steps that its gates need ended, and its adapter changes something."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from harness.errors import ResultError
from harness.gates.checks import Check
from harness.results import Result, StepFacts
from harness.results.missing import tasks_to_come
from harness.results.odd import Share, mostly_empty
from harness.types import HAS_RESULT, System


class Preconditions:
    """The preconditions of judging a result's systems; the result is read once for all gates."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def refuse_lost(self, check: Check) -> None:
        """Raise a ResultError if the check needs what has no result, or if an adapter changes nothing."""
        if check.task is not None and check.task in self._to_come:
            done, of = self._to_come[check.task]
            raise ResultError(
                f"the RESULT is unfinished: {check.task} is still to come ({done} of {of} systems are scored); "
                "judge it when its run has ended"
            )
        for system in check.systems:
            for step in self._lost(check, system):
                raise ResultError(_said(step))
            if system.adapter is not None:
                self._moves(check, system)

    def refuse_empty(self, task: str, system: System) -> None:
        """Raise a ResultError if too many of the system's answers are empty."""
        if (empty := self._empty.get((task, system))) is not None:
            raise ResultError(too_empty(str(system), empty))

    def lost_of(self, system: System) -> str:
        """Return which of a system's own steps failed first, as the end of a sentence; "" if none did."""
        return next((f"; {_said(step)}" for step in self._failed.get(system, ())), "")

    @cached_property
    def _to_come(self) -> Mapping[str, tuple[int, int]]:
        return tasks_to_come(self._result.steps)

    @cached_property
    def _empty(self) -> Mapping[tuple[str, System], Share]:
        return mostly_empty(self._result)

    @cached_property
    def _failed(self) -> dict[System | None, list[StepFacts]]:
        found: dict[System | None, list[StepFacts]] = {}
        for step in self._result.steps:
            if step.state not in HAS_RESULT:
                found.setdefault(step.system, []).append(step)
        return found

    def _lost(self, check: Check, system: System) -> Iterator[StepFacts]:
        if not self._failed:
            return
        # The base's answers, too: without them an adapter cannot be shown to change anything.
        whose = (None, system.base, system) if check.rule.of_samples else (None, system)
        for step in (step for owner in dict.fromkeys(whose) for step in self._failed.get(owner, ())):
            if step.kind in check.rule.steps and step.task in ("", check.task):
                yield step

    def _moves(self, check: Check, system: System) -> None:
        alike = [
            texts == self._texts[task, base]
            for task, texts in self._answered.get(system, ())
            if (task, base := system.base) in self._texts and check.task in (None, task)
        ]
        if alike and all(alike):
            raise ResultError("the adapter is inert: every answer equals its base's")
        if system in self._zero_updates:
            raise ResultError("the adapter is inert: its update is zero in every layer")

    @cached_property
    def _texts(self) -> dict[tuple[str, System], str]:
        return {(answers.task, answers.system): answers.texts for answers in self._result.answers}

    @cached_property
    def _answered(self) -> dict[System, list[tuple[str, str]]]:
        """Return each system's tasks with the digests of its answers."""
        found: dict[System, list[tuple[str, str]]] = {}
        for (task, system), texts in self._texts.items():
            found.setdefault(system, []).append((task, texts))
        return found

    @cached_property
    def _zero_updates(self) -> set[System]:
        """Return the systems whose update is zero in every layer."""
        is_zero: dict[System, bool] = {}
        for row in self._result.weights:
            if row.part == "delta":
                system = System(model=row.model, adapter=row.adapter)
                is_zero[system] = is_zero.get(system, True) and row.status == "zero"
        return {system for system, zero in is_zero.items() if zero}


def too_empty(who: str, empty: Share) -> str:
    """Return a sentence that a system has too many empty answers to be judged, and how to fix it."""
    are = "is" if empty.count == 1 else "are"
    return (
        f"{empty.count:,} of {empty.of:,} answers of {who} {are} empty ({100 * empty.share:.0f} %), so its scores say "
        "little; look at its prompts, stop strings and weights, or set allow_empty: true in the task where such answers are "
        "right"
    )


def _said(step: StepFacts) -> str:
    if step.state == "waiting":
        return f"the RESULT is unfinished: the step '{step.label}' had not ended; judge it when its run has ended"
    return f"the step '{step.label}' {step.state}: {step.reason or 'no reason is known'}"
