"""What stands in a task's table besides measured systems: those that cannot be asked it, and rules in place of bases."""

from collections.abc import Mapping

from harness import text as words
from harness.results import Result, TaskFacts
from harness.results.odd import NOT_APPLICABLE, STAND_IN, place
from harness.types import System


def unasked(result: Result, task: TaskFacts) -> tuple[str, ...]:
    """Return a line for each reason why systems cannot be asked a task, with their names."""
    systems: dict[str, list[str]] = {}
    for note in result.notes:
        if note.kind == NOT_APPLICABLE and note.where.startswith(f"{task.name}, "):
            systems.setdefault(note.detail, []).append(note.where.removeprefix(f"{task.name}, "))
    return tuple(
        f"Not applicable: {words.listed([*map(words.visible, names)])}: {words.visible(reason)}."
        for reason, names in systems.items()
    )


def stand_ins(result: Result, task: TaskFacts) -> Mapping[System, str]:
    """Return the systems for which a trivial rule answers, each with the words beside its name."""
    said = {note.where: note.detail for note in result.notes if note.kind == STAND_IN}
    systems = {score.system for score in result.scores if score.task == task.name}
    return {system: said[where] for system in systems if (where := place(task.name, system)) in said}
