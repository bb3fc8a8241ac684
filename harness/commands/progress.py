"""Show the progress of a run: bars on a terminal, plain lines elsewhere."""

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
    """Progress as lines: one line when a step ends."""

    def __init__(self, total: int) -> None:
        self._total, self._ended, self._since = total, 0, time.monotonic()

    def started(self, step: Step) -> None:
        """Print nothing."""

    def progress(self, step: Step, done: int, total: int) -> None:
        """Print nothing."""

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Print how the step ended."""
        self._ended += 1
        reason = f": {outcome.reason}" if outcome.reason else ""
        seconds = time.monotonic() - self._since
        warn(
            f"[{seconds:6.1f} s] {self._ended}/{self._total} {step.label}: {outcome.state}, {outcome.seconds:.1f} s{reason}"
        )


class Bars:
    """Progress as bars: one for the run, and one for each running step."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._all = progress.add_task("all steps", total=total)
        self._steps: dict[str, TaskID] = {}

    def started(self, step: Step) -> None:
        """Add a bar for the step."""
        self._steps[step.id] = self._progress.add_task(step.label, total=None)

    def progress(self, step: Step, done: int, total: int) -> None:
        """Move the step's bar."""
        if step.id in self._steps:
            self._progress.update(self._steps[step.id], completed=done, total=total)

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Remove the step's bar, and print its reason if it failed or was skipped."""
        if step.id in self._steps:
            self._progress.remove_task(self._steps.pop(step.id))
        if outcome.state in ("failed", "skipped"):
            reason = words.visible(f" {step.label}: {outcome.reason}")
            self._progress.console.print(Text.assemble((outcome.state, "red"), reason))
        self._progress.advance(self._all)


class Silence:
    """Progress that shows nothing (`--quiet`)."""

    def started(self, step: Step) -> None:
        """Show nothing."""

    def progress(self, step: Step, done: int, total: int) -> None:
        """Show nothing."""

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Show nothing."""


@contextmanager
def watching(total: int, *, quiet: bool = False) -> Iterator[engines.Progress]:
    """Yield what shows progress on standard error: bars on a terminal, lines elsewhere, nothing if quiet."""
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
    """The label of a bar, unchanged: rich's own text column would read it as markup."""

    def render(self, task: Task) -> Text:
        """Return the label."""
        return Text(words.line(task.description))


class LayersPerSecond(ProgressColumn):
    """The average number of layers per second since the bar began."""

    def render(self, task: Task) -> Text:
        """Return the speed, "" before the first layer."""
        seconds = task.finished_time if task.finished else task.elapsed
        return Text(f"{task.completed / seconds:.1f} layers/s" if seconds and task.completed else "")


@contextmanager
def counting() -> Iterator[Callable[[str, int | None], Callable[[], None]]]:
    """Yield `begin(label, total)`, which starts a bar and returns a function to call once per finished layer.

    Bars are shown on standard error if it is a terminal; elsewhere nothing is shown. `total` may be None.
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
