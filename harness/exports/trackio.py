"""Trackio: a project for each suite, and a run for each system, in a folder with Trackio's own SQLite files.

Scores with their intervals stand at the last step of training, after the losses; model and recipe are the run's config. A
run's name ends with a digest of the RESULT: a RESULT that is exported again replaces its runs.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from harness import text as words
from harness.errors import HarnessError
from harness.exports import Place, package_of
from harness.report import tracked_runs
from harness.report.tracked_runs import SystemRun
from harness.results import read

PLACE: Place = "folder"
PAGES = False


def export(folder: Path, place: str) -> str:
    """Write a RESULT to a folder of Trackio; return a line that says where, and how to look at it."""
    out = Path(place).resolve()
    os.environ["TRACKIO_DIR"] = str(out)  # it is read when the package is imported
    with package_of("trackio"):
        from trackio.sqlite_storage import SQLiteStorage
        from trackio.utils import TRACKIO_DIR

    if Path(TRACKIO_DIR).resolve() != out:
        raise HarnessError(
            f"-o {out}: this process has Trackio's files open in {TRACKIO_DIR}; export in another process"
        )
    out.mkdir(parents=True, exist_ok=True)
    result = read(folder)
    project, same = tracked_runs.named(result.suite.name), tracked_runs.identity(result)[:8]
    made = datetime.fromtimestamp(tracked_runs.created(result), UTC).isoformat()
    found = tracked_runs.by_system(result)
    for run in found:
        name = f"{words.visible(str(run.system))} {same}"
        SQLiteStorage.delete_run(project, name)
        lines = _lines(run)
        SQLiteStorage.bulk_log(
            project=project,
            run=name,
            metrics_list=list(lines.values()),
            steps=list(lines),
            timestamps=[made] * len(lines),
            config={tracked_runs.named(key): value for key, value in run.settings.items()},
        )
    return f"{out}: project {project}: {words.plural(len(found), 'run')}; TRACKIO_DIR={out} trackio show"


def _lines(run: SystemRun) -> dict[int, dict[str, float]]:
    """Return the numbers of each step: the losses, and with the last step the scores."""
    found = run.points
    last = max(found, default=0)
    found[last] = {**found.get(last, {}), **run.numbers}
    return found
