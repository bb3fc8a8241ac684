"""Find engines, which run the steps that use a base model. An engine is a file with a function `run`: `--engine NAME`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from harness import plugins
from harness.errors import SuiteError, UnknownName
from harness.run.counting import Count
from harness.run.schedule import Schedule
from harness.types import Outcome, Runtime, Step


class StepRunner(Protocol):
    """Runs one step after another. It is picklable, so that it can be sent to a worker once."""

    runtime: Runtime

    def __call__(self, step: Step, count: Count) -> Outcome:
        """Run a step and return how it ended. A failure is an outcome: this raises only to end the process."""
        ...

    def log(self, step: Step) -> Path:
        """Return the file for what libraries print while the step runs."""
        ...


class Progress(Protocol):
    """Shows the progress of a run."""

    def started(self, step: Step) -> None:
        """Show that a step has started."""
        ...

    def progress(self, step: Step, done: int, total: int, doing: str = "") -> None:
        """Show how much of a step is done; `total` is 0 if unknown."""
        ...

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Show how a step ended."""
        ...


class Engine(Protocol):
    """The type of an engine's function `run`."""

    def __call__(
        self, schedule: Schedule, runner: StepRunner, progress: Progress
    ) -> Iterator[tuple[Step, Outcome]]:
        """Yield each step of the schedule with its outcome, as soon as the step ends.

        Take steps from the schedule, and settle each outcome with it; do not yield an outcome that it does not settle.
        The schedule drops steps whose needs failed: they are neither run nor yielded. Report to `progress` that a step
        started and how much of it is done; the caller reports that it ended.
        """
        ...


def find(name: str, where: str = "") -> Engine:
    """Return the engine of that name; raise UnknownName if there is none, SuiteError if its plug-in has no `run`."""
    if name not in plugins.names("engines"):
        raise UnknownName("engine", name, plugins.names("engines"), where)
    module = plugins.find("engines", name, where)
    run: Engine | None = getattr(module, "run", None)
    if not callable(run):
        place = f"{where}: " if where else ""
        raise SuiteError(
            f"{place}the plug-in {name!r} ({module.__name__}) is no engine: it has no function `run`"
        )
    return run
