"""The Python API: each function does what the command of its name does. `import harness` has them: `harness.run(…)`.

Libraries are imported when a function is called. A failure raises an error of `harness.errors`; nothing is printed and no
function ends the process. What a command would warn of is logged by the logger "harness".
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import StepError

if TYPE_CHECKING:
    from harness.commands.dry_run import DryRun
    from harness.commands.verify import VerifiedResult
    from harness.compare.records import SideBySide
    from harness.frames import ResultFolder
    from harness.types import Judgement

__all__ = ["compare", "gate", "load", "plan", "run", "verify"]

Place = str | os.PathLike[str]
SuiteContent = Mapping[str, object]  # what a suite's YAML file contains


def run(
    suite: Place | SuiteContent,
    *,
    limit: int | None = None,
    only: str | None = None,
    store: Place | None = None,
    out: Place | None = None,
    device: str = "auto",
    workers: int | None = None,
    engine: str = "local",
    offline: bool | None = None,
    seed: int = 0,
    adapters: Mapping[str, Place] | None = None,
    allow_remote_code: bool = False,
    progress: bool = False,
) -> "ResultFolder":
    """Run a suite and return its RESULT: train, answer, score, compare, write a report.

    `suite` is a name, the path of a file, or a mapping with the content of such a file, whose paths start at the working
    folder. `adapters` uses other adapters for names of the suite. The other arguments are the options of `harness run`;
    `progress` shows the progress on standard error. Steps that the store has already are not done again.

    Raises StepError if a step failed; the other steps still ran, and the message names the folder of the partial RESULT.
    """
    from harness.commands.asked import RunRequest
    from harness.commands.progress import watching
    from harness.commands.run import run as run_suite

    options = {"limit": limit, "only": only, "out": out, "adapters": adapters, "seed": seed or None}
    request = RunRequest(
        suite=_suite(suite),
        limit=limit,
        only=only,
        store=_store(store),
        out=_path(out),
        device=device,
        workers=workers,
        engine=engine,
        offline=_offline(offline),
        seed=seed,
        allow_remote_code=allow_remote_code,
        adapters=_adapters(adapters),
        command=_call(suite, options),
    )
    done = run_suite(request, lambda course: watching(course, quiet=not progress), _warn)
    delivered = done.delivered
    if delivered is not None:
        for line in (*delivered.notes, *delivered.warnings):
            _warn(line)
    if delivered is None or done.finished.failed or delivered.partial:
        place = "" if delivered is None else f"the RESULT of the other steps is in {delivered.folder}"
        raise StepError("\n".join(filter(None, [*done.failures(), place])))
    return load(delivered.folder)


def plan(
    suite: Place | SuiteContent,
    *,
    limit: int | None = None,
    only: str | None = None,
    store: Place | None = None,
    device: str = "auto",
    workers: int | None = None,
    engine: str = "local",
    offline: bool | None = None,
    seed: int = 0,
    adapters: Mapping[str, Place] | None = None,
    result: Place | None = None,
) -> "DryRun":
    """Return what `run` would do with the same arguments: each step, whether it is kept or to do, and remarks.

    `result` is an earlier RESULT, used to estimate the chance that gates pass.
    """
    from harness.commands.asked import RunRequest
    from harness.commands.dry_run import dry_run

    request = RunRequest(
        suite=_suite(suite),
        limit=limit,
        only=only,
        store=_store(store),
        device=device,
        workers=workers,
        engine=engine,
        offline=_offline(offline),
        seed=seed,
        adapters=_adapters(adapters),
    )
    return dry_run(request, _path(result))


def load(result: Place) -> "ResultFolder":
    """Return a RESULT folder, whose tables are pandas frames: `load("reports/out/quickstart").scores`."""
    from harness.frames import load as result_folder

    return result_folder(result)


def compare(
    a: Place,
    b: Place,
    *,
    task: str = "*",
    metric: str | None = None,
    samples: int = 0,
    seed: int = 0,
) -> "SideBySide":
    """Compare two RESULTs, or two systems ("RESULT#model+adapter"), on the samples that both answered.

    `task` and `metric` are patterns; without `metric`, each task's primary metric is compared. `samples` is how many of the
    samples that changed most are listed.
    """
    from harness.compare import side_by_side

    return side_by_side(os.fspath(a), os.fspath(b), task=task, metric=metric, samples=samples, seed=seed)


def gate(
    result: Place,
    *,
    baseline: Place | None = None,
    rules: Place | SuiteContent | None = None,
) -> "Judgement":
    """Return the verdicts of a RESULT's gates; raise ResultError if it has no gates.

    `baseline` is a file of `harness baseline`, used instead of the files that the gates name. `rules` is a file of gates, or
    a mapping with the content of such a file, used instead of the suite's own gates.
    """
    from harness.commands.gate import judge, refuse_none

    folder = Path(result)
    judged = judge(folder, rules if isinstance(rules, Mapping) else _path(rules), _path(baseline))
    refuse_none(folder, judged)
    return judged


def verify(result: Place, *, allow_code: bool = False) -> "VerifiedResult":
    """Recompute every score of a RESULT from its answers, and the comparisons and verdicts.

    Raises ResultError with a line for each number that does not follow. Without `allow_code`, metric scripts that the
    RESULT names and that lie outside of it are not run, and their scores are not recomputed.
    """
    from harness.commands.verify import verify as verify_result
    from harness.metrics import OWN
    from harness.results.code import lines, scripts_outside

    folder = Path(result)
    if not allow_code:
        return verify_result(folder, OWN)
    shown = scripts_outside([folder])
    for line in lines(shown):
        _warn(line)
    return verify_result(folder, shown)


def _suite(suite: Place | SuiteContent) -> str | SuiteContent:
    return suite if isinstance(suite, Mapping) else os.fspath(suite)


def _store(store: Place | None) -> Path:
    from harness.commands.asked import STORE, STORE_VARIABLE

    return Path(store or os.environ.get(STORE_VARIABLE) or STORE)


def _offline(offline: bool | None) -> bool:
    from harness.commands.asked import OFFLINE_VARIABLE

    said = os.environ.get(OFFLINE_VARIABLE, "").strip().lower()
    return said in ("1", "true", "t", "yes", "y", "on") if offline is None else offline


def _adapters(adapters: Mapping[str, Place] | None) -> tuple[str, ...]:
    return tuple(f"{name}={os.fspath(place)}" for name, place in (adapters or {}).items())


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)


def _call(suite: Place | SuiteContent, given: Mapping[str, object]) -> str:
    """Return the call as a program would write it, for the RESULT: `harness.run('quickstart', limit=20)`."""
    first = "{…}" if isinstance(suite, Mapping) else repr(os.fspath(suite))
    named = (
        f"{name}={(os.fspath(value) if isinstance(value, os.PathLike) else value)!r}"
        for name, value in given.items()
        if value is not None
    )
    return f"harness.run({', '.join([first, *named])})"


def _warn(line: str) -> None:
    import logging

    from harness.terminal.printed import safe

    logging.getLogger("harness").warning("%s", safe(line))
