"""Follow a run while it goes on: record how its steps end, run light steps in time, and show each finished task.

Comparisons need no model. They run in this process beside the engine, each as soon as its task is scored, so that a task can
be shown when it is finished and not when the whole run is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Self

from harness.run.beside import SideThread
from harness.run.counting import ELSEWHERE, uncounted
from harness.run.engines import Progress
from harness.run.runner import Runner
from harness.run.steps import RunRecord, find
from harness.run.waiting import WaitingSteps
from harness.terminal.printed import warn
from harness.types import Outcome, Plan, Step

BUSY_SECONDS = 0.5  # between two attempts to run a step that another process has
INTERRUPTED_SECONDS = 5.0  # how long an interrupted run waits for a page that is being drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Interim:
    """An unfinished RESULT, which a run shows after a task is finished."""

    report: Path  # the folder with the RESULT's data, until the run shows the next one
    tasks: tuple[str, ...]  # those that were finished since the last one
    wanted: Callable[[], bool]  # False as soon as the run has ended: then the whole RESULT follows


Show = Callable[[Interim], None]


class Going:
    """A run that goes on. A context: at its end every light step has run, except the report."""

    def __init__(
        self,
        plan: Plan,
        todo: list[Step],
        runner: Runner,
        progress: Progress,
        show: Show | None,
        command: str,
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._plan, self._goal, self._command = plan, plan.steps[-1], command
        self._light = [step for step in todo if find(step.kind).TOLERANT and step.id != self._goal.id]
        self._waiting = WaitingSteps(plan, todo)
        self._progress, self._show = progress, show
        # A runner of its own: the other one may have a model in memory and run a step at the same moment.
        self._runner = replace(runner, shown=runner.shown, inspector=runner.inspector)
        self._beside = SideThread(threaded=runner.runtime.workers > 0)
        self._lock = Lock()  # of everything here: steps end in the thread beside, too
        self._shown: frozenset[str] = frozenset()  # tasks
        self._ended = False

    def __enter__(self) -> Self:
        self._advance()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._ended = True
        if error is None:
            self._beside.close()
        else:
            self._beside.abandon(INTERRUPTED_SECONDS)

    def run(self, step: Step, runner: Runner) -> None:
        """Run a step in this process, and record how it ended; wait while another process has it."""
        self._progress.started(step)
        count = partial(self._progress.progress, step)
        while (outcome := runner(step, count)).state in ("busy", "lost"):
            count(0, 0, ELSEWHERE)
            time.sleep(BUSY_SECONDS)
        self.record(step, outcome)

    def record(self, step: Step, outcome: Outcome) -> None:
        """Record how a step ended, and start what can start now."""
        with self._lock:
            self.outcomes[step.id] = outcome
            self._waiting.end(step)
            self._progress.ended(step, outcome)
        self._advance()

    def _advance(self) -> None:
        with self._lock:
            ready = [step for step in self._light if self._waiting.can_start(step)]
            self._light = [step for step in self._light if step not in ready]
            news = self._news()
        for step in ready:
            self._beside.do(partial(self.run, step, self._runner))
        if news:
            self._beside.do(self._show_news)

    def _news(self) -> frozenset[str]:
        """Return the tasks to show: finished, not shown yet, and with more to come than the report of the whole run."""
        if self._show is None or self._ended or self._waiting.only_goal_left:
            return frozenset()
        return self._waiting.finished_tasks - self._shown

    def _show_news(self) -> None:
        """Write an unfinished RESULT of all finished tasks, and show it."""
        with self._lock:
            news, finished = self._news(), self._waiting.finished_tasks
            self._shown |= news
            record = RunRecord(command=self._command, outcomes=dict(self.outcomes), tasks=finished)
        if not news or self._show is None:
            return
        runner = replace(self._runner, run=record, shown=dict(self._runner.shown))
        outcome = runner(self._goal, uncounted)
        if outcome.state == "failed":
            warn(f"the finished tasks cannot be shown yet: {outcome.reason}")
        elif outcome.state == "done":
            names = tuple(task.name for task in self._plan.suite.tasks if task.name in news)
            report = runner.shown[self._goal.id]
            self._show(Interim(report=report, tasks=names, wanted=lambda: not self._ended))
