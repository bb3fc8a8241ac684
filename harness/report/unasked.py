"""What stands in a task's table besides measured systems: those that cannot be asked it, and rules in place of bases."""

from collections.abc import Mapping, Sequence

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
    alike: dict[tuple[str, bool], list[str]] = {}  # reasons that are about a model itself -> models
    lines = []
    for reason, names in systems.items():
        model = names[0]
        if reason.startswith(f"{model} ") and all(name.startswith(f"{model} + ") for name in names[1:]):
            said = reason.removeprefix(f"{model} ")
            alike.setdefault((said, len(names) > 1), []).append(model)
        else:
            lines.append(
                f"Not applicable: {words.listed([*map(words.visible, names)])}: {words.visible(reason)}."
            )
    return (*(_models(names, said, adapters) for (said, adapters), names in alike.items()), *lines)


def _models(names: Sequence[str], reason: str, adapters: bool) -> str:
    """Return a line on models that lack the same thing: `Not applicable: a and b: each is an encoder, …`."""
    whose = words.listed([*map(words.visible, names)]) + (", with or without an adapter" if adapters else "")
    which = "each" if len(names) > 1 else "it"
    return f"Not applicable: {whose}: {which} {words.visible(reason)}."


def stand_ins(result: Result, task: TaskFacts) -> Mapping[System, str]:
    """Return the systems for which a trivial rule answers, each with the words beside its name."""
    said = {note.where: note.detail for note in result.notes if note.kind == STAND_IN}
    systems = {score.system for score in result.scores if score.task == task.name}
    return {system: said[where] for system in systems if (where := place(task.name, system)) in said}
