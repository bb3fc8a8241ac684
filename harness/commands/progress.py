"""What a run looks like while it runs: two bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
)
from rich.text import Text

from harness import text as words
from harness.run import engines
from harness.terminal.consoles import PlainConsole
from harness.terminal.printed import warn
from harness.types import Outcome, Step


class Lines:
    """One line when a step ends."""

    def __init__(self, total: int) -> None:
        self._total, self._ended, self._since = total, 0, time.monotonic()

    def started(self, step: Step) -> None: ...

    def progress(self, step: Step, done: int, total: int) -> None: ...

    def ended(self, step: Step, outcome: Outcome) -> None:
        self._ended += 1
        reason = f": {outcome.reason}" if outcome.reason else ""
        seconds = time.monotonic() - self._since
        warn(
            f"[{seconds:6.1f} s] {self._ended}/{self._total} {step.label}: {outcome.state}, {outcome.seconds:.1f} s{reason}"
        )


class Bars:
    """One bar for the run, and one for each step in hand."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._all = progress.add_task("all steps", total=total)
        self._steps: dict[str, TaskID] = {}

    def started(self, step: Step) -> None:
        self._steps[step.id] = self._progress.add_task(step.label, total=None)

    def progress(self, step: Step, done: int, total: int) -> None:
        if step.id in self._steps:
            self._progress.update(self._steps[step.id], completed=done, total=total)

    def ended(self, step: Step, outcome: Outcome) -> None:
        if step.id in self._steps:
            self._progress.remove_task(self._steps.pop(step.id))
        if outcome.state in ("failed", "skipped"):
            said = words.visible(f" {step.label}: {outcome.reason}")
            self._progress.console.print(Text.assemble((outcome.state, "red"), said))
        self._progress.advance(self._all)


class Silence:
    """Nothing."""

    def started(self, step: Step) -> None: ...

    def progress(self, step: Step, done: int, total: int) -> None: ...

    def ended(self, step: Step, outcome: Outcome) -> None: ...


@contextmanager
def watching(total: int, *, quiet: bool = False) -> Iterator[engines.Progress]:
    """Bars on a terminal, lines elsewhere, both on standard error."""
    if quiet:
        yield Silence()
        return
    console = PlainConsole(stderr=True)
    if not console.is_terminal:
        yield Lines(total)
        return
    columns = (Label(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress, total)


class Label(ProgressColumn):
    """What a bar is of, as it is: rich's own column of texts takes them for markup."""

    def render(self, task: Task) -> Text:
        return Text(words.line(task.description))


class LayersPerSecond(ProgressColumn):
    """Since the first of them."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time if task.finished else task.elapsed
        return Text(f"{task.completed / seconds:.1f} layers/s" if seconds and task.completed else "")


@contextmanager
def counting() -> Iterator[Callable[[str, int | None], Callable[[], None]]]:
    """Of what is begun, with how many layers it has where that is known, gives what to call for each that is done.

    A bar for each on a terminal, on standard error; elsewhere nothing.
    """
    console = PlainConsole(stderr=True)
    columns = (
        *(Label(), BarColumn(), MofNCompleteColumn()),
        *(LayersPerSecond(), TimeElapsedColumn()),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def begin(label: str, total: int | None) -> Callable[[], None]:
            task = progress.add_task(label, total=total)
            return lambda: progress.advance(task)

        yield begin
