"""Show a run while it goes on: about when it ends, each finished task's table, and an unfinished RESULT with its pages."""

from contextlib import suppress
from pathlib import Path
from threading import Thread

from rich.console import Console
from rich.text import Text

from harness import text as words
from harness.commands import delivery
from harness.commands.course import Course
from harness.errors import HarnessError
from harness.run.going import Interim, Show
from harness.run.store import Store
from harness.terminal.printed import warn
from harness.types import Plan, Runtime


def foretell(course: Course, plan: Plan, store: Store, runtime: Runtime) -> None:
    """Estimate the steps of a run in a thread of its own, since the run must not wait for it.

    Where that fails, the time left is unknown until the run's own steps show it.
    """

    def work() -> None:
        with suppress(Exception):
            from harness.files.hardware import machine
            from harness.plan.estimates import estimate

            course.expect(
                {time.step: time.seconds for time in estimate(plan, store, runtime, machine()).steps}
            )

    Thread(target=work, name="estimates", daemon=True).start()


def shower(out: Path, store: Store, console: Console | None, shown: set[str]) -> Show:
    """Return what a run calls after each task; it never raises, since a page that fails must not end a run.

    `out` is the run's RESULT folder. Tables are printed on `console`; nothing is printed if that is None. `shown` gets the
    tasks whose tables were printed.
    """

    def show(interim: Interim) -> None:
        try:
            _show(interim, out, store, console, shown)
        except Exception as error:
            reason = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
            warn(f"{out}: the finished tasks cannot be shown yet: {words.line(reason)}")

    return show


def _show(interim: Interim, out: Path, store: Store, console: Console | None, shown: set[str]) -> None:
    from harness.report import render_tasks

    if console is not None:
        render_tasks(interim.report, interim.tasks, console)
        shown.update(interim.tasks)
    if not interim.wanted():
        return
    delivered = delivery.deliver_interim(interim.report, out, store, interim.wanted)
    if delivered is None:
        return
    if not delivered.drawn:
        for line in delivered.warnings:
            warn(line)
    elif console is not None:
        page = words.line(str(delivered.folder / "report.html"))
        console.print(Text(f"\nunfinished report  {page}\n", style="dim"), soft_wrap=True)
