"""Show the progress of a run: bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock, Thread
from typing import Protocol

from rich.console import Console
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
from harness.commands.course import Course, Position, about
from harness.run import engines
from harness.terminal.consoles import PIPED, PlainConsole
from harness.terminal.printed import warn
from harness.types import Outcome, Step

STARTING = "starting"  # what a step does before it says anything
LINE_SECONDS = 60.0  # between two lines that say how far a run is, where there is no terminal
WIDE = 120  # columns from which bars are long
COUNTED = {
    "generate": "samples",
    "score": "samples",
    "foreign": "samples",
    "train": "steps",
    "spectra": "layers",
}

Wait = Callable[[float], bool]  # waits for so many seconds; returns whether the run has ended


class View(engines.Progress, Protocol):
    """What shows a run's progress, and where further tables are printed meanwhile."""

    @property
    def console(self) -> Console | None:
        """Return the console for tables; None if nothing is to be printed."""
        ...


class Lines:
    """Progress as lines: one when a step ends, and one a minute that says how far the run is."""

    def __init__(self, course: Course, say: Callable[[str], None] = warn) -> None:
        self._course, self._say, self._lock = course, say, RLock()
        self.console: Console | None = PlainConsole(stderr=True, width=PIPED)

    def started(self, step: Step) -> None:
        """Take note of the step."""
        with self._lock:
            self._course.started(step)

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None:
        """Take note of how much is done."""
        with self._lock:
            self._course.progress(step, done, total, doing)

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Print how the step ended."""
        with self._lock:
            self._course.ended(step, outcome)
            reason = f": {outcome.reason}" if outcome.reason else ""
            said = f"{step.label}: {outcome.state}, {outcome.seconds:.1f} s{reason}"
            self._say(f"{self._clock()} {self._course.ended_steps}/{self._course.total} {said}")

    def say_how_far(self) -> None:
        """Print how many steps are done, how far the running steps are, and how long the rest will take."""
        with self._lock:
            course = self._course
            left = f"{course.ended_steps} of {words.plural(course.total, 'step')} done, time left: {left_of(course)}"
            running = [position(course, each) for each in course.running.values()]
            self._say("; ".join([f"{self._clock()} {left}", *running]))

    def _clock(self) -> str:
        return f"[{self._course.elapsed_seconds:6.1f} s]"


def left_of(course: Course) -> str:
    """Return about how long the rest of a run takes, in words."""
    return about(course.seconds_left())


def position(course: Course, at: Position) -> str:
    """Return how far a running step is: `train llama + r8: 12 of 60, loss 1.92, 3.1 steps/s, about 20 s`."""
    parts = [
        f"{at.done:,} of {at.total:,}" if at.total else f"{at.done:,}" if at.done else "",
        *pace(course, at),
    ]
    said = ", ".join(filter(None, parts))
    return f"{at.step.label}: {said}" if said else at.step.label


def pace(course: Course, at: Position) -> list[str]:
    """Return what a running step does, its speed, and about how long it will still take; "" for each that is unknown."""
    left = course.seconds_left_of(at)
    unit = COUNTED.get(at.step.kind)
    return [
        at.doing or ("" if at.first else STARTING),
        f"{rate(at.per_second)} {unit}/s" if unit and at.per_second else "",
        about(left) if left is not None and not at.loading and at.per_second else "",
    ]


def rate(per_second: float) -> str:
    """Return a speed with two digits, or all digits before the point."""
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.2g}"


class Bars:
    """Progress as bars: one for the run, and one for each running step."""

    def __init__(self, progress: Progress, course: Course) -> None:
        self._progress, self._course, self._lock = progress, course, RLock()
        self.console: Console | None = progress.console
        self._all = progress.add_task("all steps", total=course.total, at=None)
        self._steps: dict[str, TaskID] = {}

    def started(self, step: Step) -> None:
        """Add a bar for the step."""
        with self._lock:
            self._course.started(step)
            self._remove(step)  # it may have waited for another process
            at = self._course.running[step.id]
            self._steps[step.id] = self._progress.add_task(step.label, total=None, at=at)

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None:
        """Move the step's bar."""
        with self._lock:
            self._course.progress(step, done, total, doing)
            if step.id in self._steps:
                self._progress.update(self._steps[step.id], completed=done, total=total or None)

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Remove the step's bar, and print its reason if it failed or was skipped."""
        with self._lock:
            self._course.ended(step, outcome)
            self._remove(step)
            if outcome.state in ("failed", "skipped"):
                reason = words.visible(f" {step.label}: {outcome.reason}")
                self._progress.console.print(Text.assemble((outcome.state, "red"), reason))
            self._progress.advance(self._all)

    def _remove(self, step: Step) -> None:
        if step.id in self._steps:
            self._progress.remove_task(self._steps.pop(step.id))


class Silence:
    """Progress that shows nothing (`--quiet`); it follows the course, which others may show."""

    console: Console | None = None

    def __init__(self, course: Course) -> None:
        self._course, self._lock = course, RLock()

    def started(self, step: Step) -> None:
        """Take note of the step."""
        with self._lock:
            self._course.started(step)

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None:
        """Take note of how much is done."""
        with self._lock:
            self._course.progress(step, done, total, doing)

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Take note of how the step ended."""
        with self._lock:
            self._course.ended(step, outcome)


@contextmanager
def watching(course: Course, *, quiet: bool = False) -> Iterator[View]:
    """Yield what shows progress on standard error: bars on a terminal, lines elsewhere, nothing if quiet."""
    if quiet or not course.total:
        yield Silence(course)
        return
    console = PlainConsole(stderr=True)
    if not console.is_terminal:
        lines = Lines(course)
        with repeated(lines.say_how_far, LINE_SECONDS):
            yield lines
        return
    with Progress(*columns(course, console), console=console, transient=True) as progress:
        yield Bars(progress, course)


def columns(course: Course, console: Console) -> tuple[ProgressColumn, ...]:
    """Return the columns of a run's bars."""
    bar = BarColumn() if console.width >= WIDE else BarColumn(bar_width=12)
    return Label(), bar, Counted(), Pace(course), TimeElapsedColumn(), Left(course)


@contextmanager
def repeated(do: Callable[[], None], seconds: float, wait: Wait | None = None) -> Iterator[None]:
    """Do something at once and then again after each interval, in a thread, for as long as the block runs."""
    ended = Event()
    waited = wait or ended.wait

    def again() -> None:
        while not waited(seconds):
            do()

    do()
    thread = Thread(target=again, name="lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Label(ProgressColumn):
    """The label of a bar, unchanged: rich's own text column would read it as markup."""

    def render(self, task: Task) -> Text:
        """Return the label."""
        return Text(words.line(task.description))


class Counted(ProgressColumn):
    """How much is done, of how much."""

    def render(self, task: Task) -> Text:
        """Return `12/60`; the count alone where the total is unknown, "" before anything is counted."""
        done = f"{int(task.completed):,}"
        return (
            Text(done if task.completed else "")
            if task.total is None
            else Text(f"{done}/{int(task.total):,}")
        )


class Pace(ProgressColumn):
    """What a running step does, and how fast: `loading`, `loss 1.92, 3.1 steps/s`."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def render(self, task: Task) -> Text:
        """Return the pace; "" for the whole run."""
        at: Position | None = task.fields["at"]
        return Text("" if at is None else ", ".join(filter(None, pace(self._course, at)[:2])), style="dim")


class Left(ProgressColumn):
    """About how long the rest of a step, or of the whole run, will take."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def render(self, task: Task) -> Text:
        """Return the time left in words; "" for a step of which it is not known."""
        at: Position | None = task.fields["at"]
        return Text(f"left: {left_of(self._course)}" if at is None else pace(self._course, at)[2])


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
