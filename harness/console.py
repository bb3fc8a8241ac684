"""What a run looks like while it runs: two bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from harness.run import Watch
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
        print(
            f"[{seconds:6.1f} s] {self._ended}/{self._total} {step.label}: {outcome.state}, {outcome.seconds:.1f} s{reason}",
            file=sys.stderr,
            flush=True,
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
            self._progress.console.print(
                f"[red]{outcome.state}[/red] {step.label}: {outcome.reason}", highlight=False
            )
        self._progress.advance(self._all)


@contextmanager
def watching(total: int) -> Iterator[Watch]:
    """Bars on a terminal, lines elsewhere, both on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress, total)
