"""Say what a RESULT lacks: it is *partial* if steps failed, *unfinished* if its run went on when it was written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness import text as words
from harness.results.records import StepFacts
from harness.types import HAS_RESULT

SHOWN = 3  # labels of steps in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The steps of a RESULT that have no result."""

    labels: tuple[str, ...]
    of: int  # steps
    unfinished: bool  # some of them had not ended when the RESULT was written

    @property
    def word(self) -> str:
        """Return what such a RESULT is called."""
        return "unfinished" if self.unfinished else "partial"

    @property
    def sentence(self) -> str:
        """Return how many steps have no result, with the first of them."""
        named = "; ".join(map(words.visible, self.labels[:SHOWN]))
        more = "; …" if len(self.labels) > SHOWN else ""
        yet = " yet" if self.unfinished else ""
        have = "has" if len(self.labels) == 1 else "have"
        return f"{len(self.labels)} of {words.plural(self.of, 'step')} {have} no result{yet} ({named}{more})"


def missing(steps: Iterable[StepFacts]) -> Missing | None:
    """Return what a RESULT with these steps lacks; None if it is whole."""
    return _missing([(step.label, step.state) for step in steps])


def missing_in(document: Mapping[str, Any]) -> Missing | None:
    """Return what the RESULT of a result.json lacks; None if it is whole."""
    steps = document.get("steps", ())
    return _missing([(str(step.get("label")), str(step.get("state"))) for step in steps])


def tasks_to_come(steps: Iterable[StepFacts]) -> dict[str, tuple[int, int]]:
    """Return the tasks that an unfinished RESULT does not show, with the number of scored systems and of all systems."""
    own = list(steps)
    waiting = dict.fromkeys(step.task for step in own if step.task and step.state == "waiting")
    scores = {task: [step for step in own if step.task == task and step.kind == "score"] for task in waiting}
    return {task: (sum(s.state in HAS_RESULT for s in found), len(found)) for task, found in scores.items()}


def unfinished_sentence(steps: Iterable[StepFacts], tasks: int) -> str:
    """Return the first sentence of an unfinished RESULT of a suite with so many tasks."""
    own = list(steps)
    later = tasks_to_come(own)
    if later:
        shown = f"{tasks - len(later)} of {words.plural(tasks, 'task')} "
        shown += "is shown" if tasks - len(later) == 1 else "are shown"
        ahead = words.listed(
            [
                f"{words.visible(task)} ({done} of {words.plural(of, 'system')} scored)"
                for task, (done, of) in later.items()
            ]
        )
    else:
        waiting = sum(step.state == "waiting" for step in own)
        shown, ahead = "every task is shown", f"{waiting} of {words.plural(len(own), 'step')}"
    return (
        f"This RESULT is unfinished: {shown}, still to come: {ahead}. "
        "If its run was stopped, the same command continues it."
    )


def _missing(states: list[tuple[str, str]]) -> Missing | None:
    """Return what is missing by the label and the state of each step."""
    without = [(label, state) for label, state in states if state not in HAS_RESULT]
    if not without:
        return None
    return Missing(
        labels=tuple(label for label, _ in without),
        of=len(states),
        unfinished=any(state == "waiting" for _, state in without),
    )
