"""Weights & Biases: a run for each system, written to a folder without a network; `wandb sync` sends it.

    FOLDER/SUITE-DIGEST/SYSTEM/wandb/offline-run-…

Scores with their intervals are the run's summary, the losses of training its history, model and recipe its config. A run's
id is made of the RESULT and the system: a RESULT that is exported and sent again is the same runs.
"""

import os
import shutil
from pathlib import Path

from harness import text as words
from harness.digest import digest, file_name
from harness.errors import HarnessError
from harness.exports import Place, package_of
from harness.report import tracked_runs
from harness.report.tracked_runs import SystemRun
from harness.results import Result, read

PLACE: Place = "folder"
PAGES = False


def export(folder: Path, place: str) -> str:
    """Write a RESULT as offline runs of W&B; return a line that says where, and how to send them."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it is read when the package is imported
    with package_of("wandb"):
        import wandb  # noqa: F401

    result = read(folder)
    whole = Path(place).resolve() / f"{file_name(result.suite.name)}-{tracked_runs.identity(result)[:8]}"
    shutil.rmtree(whole, ignore_errors=True)
    found = tracked_runs.by_system(result)
    for run in found:
        own = whole / file_name(str(run.system))
        own.mkdir(parents=True)
        _write(own, result, run)
    return f"{whole}: {words.plural(len(found), 'run')}; wandb sync {whole}/*/wandb/offline-run-*"


def _write(place: Path, result: Result, run: SystemRun) -> None:
    import wandb
    from wandb.errors import Error

    same = tracked_runs.identity(result)
    try:
        with wandb.init(
            mode="offline",
            dir=str(place),
            project=tracked_runs.named(result.suite.name).replace(" ", "-"),
            group=same,
            id=digest(same, str(run.system)),
            name=words.visible(str(run.system)),
            config={tracked_runs.named(key): value for key, value in run.settings.items()},
            reinit="create_new",
            # Nothing of this machine, its files or this process is recorded.
            settings=wandb.Settings(
                silent=True,
                console="off",
                save_code=False,
                disable_git=True,
                disable_code=True,
                x_disable_meta=True,
                x_disable_stats=True,
            ),
        ) as writer:
            for step, values in run.points.items():
                writer.log(values, step=step)
            writer.summary.update(dict(run.numbers))
    except (Error, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise HarnessError(f"--to wandb: {place}: {reason}") from error
