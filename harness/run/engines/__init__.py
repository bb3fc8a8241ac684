"""Engines: where lanes run. Each is a file with a function `run`, an `Engine`: `harness run --engine NAME`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from harness import plugins
from harness.errors import SuiteError, UnknownName
from harness.run.schedule import Schedule
from harness.types import Outcome, Runtime, Step

Count = Callable[[int, int], None]  # what is done of a step, and of how much


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
    """Shows how far a run is."""

    def started(self, step: Step) -> None: ...
    def progress(self, step: Step, done: int, total: int) -> None: ...
    def ended(self, step: Step, outcome: Outcome) -> None: ...


class Engine(Protocol):
    """What an engine's `run` is."""

    def __call__(
        self, schedule: Schedule, runner: StepRunner, progress: Progress
    ) -> Iterator[tuple[Step, Outcome]]:
        """Yield each step of the schedule with its outcome, as it comes.

        Take steps from the schedule, and settle each outcome with it; an outcome that it does not settle is not yielded.
        Steps whose needs fail leave the schedule: they are neither run nor yielded. Tell `progress` what has started and
        how far it is; whoever asked for the run tells it what has ended.
        """
        ...


def find(name: str, where: str = "") -> Engine:
    """Return the engine of that name; UnknownName where there is none, SuiteError where its plug-in has no `run`."""
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
