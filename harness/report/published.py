"""Numbers that others published for a task, as a table below its scores: whether each can be compared, and why not."""

from dataclasses import dataclass

from harness import text as words
from harness.results import TaskFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLine:
    """A line of the table: what one source published of one system."""

    system: str
    values: tuple[float | None, ...]  # in the columns' order; None: not published
    comparable: str  # "yes" or "no", and why
    source: str  # with its settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTable:
    """The numbers that others published for a task."""

    metrics: tuple[str, ...]  # names for people
    lines: tuple[PublishedLine, ...]


def published(task: TaskFacts) -> PublishedTable | None:
    """Return the numbers that the task names; None if it names none. The primary metric comes first."""
    if not task.published:
        return None
    names = dict.fromkeys(name for entry in task.published for name in entry.scores)
    columns = sorted(names, key=lambda name: name != task.primary)
    return PublishedTable(
        metrics=tuple(map(words.metric, columns)),
        lines=tuple(
            PublishedLine(
                system=entry.system,
                values=tuple(entry.scores.get(name) for name in columns),
                comparable=": ".join(filter(None, ("yes" if entry.comparable else "no", entry.why))),
                source=", ".join(filter(None, (entry.source, entry.settings))),
            )
            for entry in task.published
        ),
    )
