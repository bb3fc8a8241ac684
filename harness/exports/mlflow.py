"""MLflow: an experiment for each suite, a run for each RESULT, and a child run for each system on each task.

A RESULT that is there already (by a digest of its content) is not written again; one that an interrupted export left
incomplete is removed first. MLflow's file store is in maintenance mode and must be enabled explicitly, which
`--uri file:…` does; readers must set MLFLOW_ALLOW_FILE_STORE=true. `sqlite:///FILE` needs no such setting.
"""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import text as words
from harness.errors import HarnessError
from harness.exports import Place, package_of
from harness.report import tracked_runs
from harness.report.page import Page
from harness.report.tracked_runs import TrackedRun
from harness.results import Result, read

if TYPE_CHECKING:
    from mlflow import MlflowClient

PLACE: Place = "uri"
PAGES = True
SCHEMES = ("sqlite", "file", "http", "https", "postgresql", "mysql", "mssql", "databricks")
SAME, RUN_OF = "harness.results", "mlflow.parentRunId"
AT_ONCE = 1_000  # metrics per request
KEPT_APART = 100  # settings or tags per request
LONGEST = 5_000  # characters of one value


def refuse_place(place: str) -> None:
    """Raise HarnessError if a uri names no place, or a database file that cannot be written.

    MLflow itself would retry such a file for more than a minute.
    """
    scheme, colon, rest = place.partition(":")
    if place != "databricks" and (not (colon and rest.strip("/")) or scheme.partition("+")[0] not in SCHEMES):
        shown = re.sub(r"//[^/@\s]*@", "//", place)
        raise HarnessError(
            f"--uri {shown}: not a tracking uri; give sqlite:///FILE, file:FOLDER or a server's http://…"
        )
    if scheme == "sqlite":
        if not rest.startswith("///"):
            raise HarnessError(f"--uri {place}: give sqlite:///FILE, with three slashes before the file")
        _refuse_database(Path(rest.removeprefix("///").partition("?")[0]), f"--uri {place}")


def _refuse_database(file: Path, said: str) -> None:
    """Raise HarnessError if SQLite cannot write the file; remove the file if it did not exist before."""
    before = file.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=5)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT name FROM sqlite_master").fetchone()
            database.rollback()
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HarnessError(f"{said}: cannot be written: {reason}; name another file") from error
    finally:
        if not before and file.is_file():
            file.unlink()


def export(folder: Path, place: str) -> str:
    """Write a RESULT to an MLflow tracking store, each system a run; return a line that says where."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read when the package is imported
    if place.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    # With MLflow's default of 7, a missing server is reported only after minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    with package_of("mlflow"):
        from mlflow import MlflowClient

        if place.startswith("sqlite:"):
            import alembic  # noqa: F401
            import sqlalchemy  # noqa: F401
    for name in ("mlflow", "alembic"):  # they log every table that they create
        logging.getLogger(name).setLevel(logging.WARNING)
    refuse_place(place)
    result = read(folder)
    page = tracked_runs.build(result)
    with _one_line_errors(place):
        client = MlflowClient(tracking_uri=place, registry_uri=place)
        return _export(client, result, page, place)


def _export(client: "MlflowClient", result: Result, page: Page, place: str) -> str:
    name = tracked_runs.named(result.suite.name)
    experiment, same = _experiment(client, name, place), tracked_runs.identity(result)
    before = list(_there(client, experiment, same))
    if any(RUN_OF not in run.data.tags and run.info.status == "FINISHED" for run in before):
        return f"experiment {name}: this RESULT is there already; nothing was written"
    for run in before:
        client.delete_run(run.info.run_id)
    created = round(1000 * tracked_runs.created(result))
    tags = {SAME: same, "mlflow.note.content": _answer(page), "command": page.command}
    whole = client.create_run(experiment, created, _texts(tags), run_name=name).info.run_id
    found = tracked_runs.runs(result, page)
    for tracked in found:
        _log(client, experiment, tracked, {SAME: same, RUN_OF: whole}, created)
    for file in ("result.json", "report.html"):
        if (result.folder / file).is_file():
            client.log_artifact(whole, str(result.folder / file))
    client.set_terminated(whole, end_time=created)
    look = {
        "file": f"; MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {place}",
        "sqlite": f"; mlflow ui --backend-store-uri {place}",
    }
    here = look.get(place.partition(":")[0], "")
    return f"experiment {name}: {words.plural(len(found), 'run')} and their parent run{here}"


def _experiment(client: "MlflowClient", name: str, place: str) -> str:
    """Return the id of the suite's experiment; a new one stores its files beside the database."""
    found = client.get_experiment_by_name(name)
    if found is None:
        files = None
        if place.startswith("sqlite:///"):
            database = Path(place.removeprefix("sqlite:///").partition("?")[0]).resolve()
            files = (database.parent / "mlartifacts").as_uri()
        return str(client.create_experiment(name, artifact_location=files))
    if found.lifecycle_stage != "active":
        raise HarnessError(
            f"--uri: the experiment {name!r} was deleted there; restore it, or give another uri"
        )
    return str(found.experiment_id)


def _there(client: "MlflowClient", experiment: str, same: str) -> Iterator[Any]:
    """Yield the runs of an earlier export of the same RESULT."""
    token = None
    while True:
        found = client.search_runs([experiment], f"tags.`{SAME}` = '{same}'", page_token=token)
        yield from found
        token = found.token
        if not token:
            return


def _log(
    client: "MlflowClient", experiment: str, tracked: TrackedRun, tags: Mapping[str, str], created: int
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(
        experiment, created, dict(tags), run_name=words.visible(f"{tracked.system} on {tracked.task}")[:200]
    ).info.run_id
    params = [Param(key, value) for key, value in _texts(tracked.settings).items()]
    for some in _parts(params, KEPT_APART):
        client.log_batch(run, params=some)
    for these in _parts([RunTag(key, value) for key, value in _texts(tracked.tags).items()], KEPT_APART):
        client.log_batch(run, tags=these)
    points = {**tracked.curves, **{name: [(0, value)] for name, value in tracked.numbers.items()}}
    metrics = [Metric(name, y, created, step) for name, series in points.items() for step, y in series]
    for few in _parts(metrics, AT_ONCE):
        client.log_batch(run, metrics=few)
    client.set_terminated(run, end_time=created)


def _parts(entries: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entries), most):
        yield entries[start : start + most]


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {tracked_runs.named(key): words.visible(str(value))[:LONGEST] for key, value in values.items()}


def _answer(page: Page) -> str:
    """Return the report's first sentences, a paragraph for each task."""
    answers = [task.answer for task in page.tasks if task.answer]
    return "\n\n".join(
        " ".join("".join(span.text for span in said) for said in (answer.lead, answer.gain))
        for answer in answers
    )


@contextmanager
def _one_line_errors(place: str) -> Iterator[None]:
    """Turn errors of MLflow and the database into a one-line HarnessError that does not repeat a password."""
    from mlflow.exceptions import MlflowException

    failures: tuple[type[Exception], ...] = (MlflowException, OSError, *_of_databases())
    try:
        yield
    except failures as error:
        reason = str(error).strip().partition("\n")[0]
        if "Max retries exceeded" in reason:  # the connection pool's message names no server
            reason = "no server answers; start it, or give file:FOLDER or sqlite:///FILE"
        said = f"--uri {place}: {reason}"
        raise HarnessError(re.sub(r"//[^/@\s]*@", "//", said)) from error


def _of_databases() -> tuple[type[Exception], ...]:
    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError:
        return ()
    return (SQLAlchemyError,)
