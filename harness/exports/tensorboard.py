"""TensorBoard event files: a run for each system, a scalar for each score, and each adapter's loss curve.

    LOGDIR/SUITE-DIGEST/SYSTEM/events.out.tfevents.SECONDS.harness

Each RESULT has its own folder, and its files always have the same names and bytes: exporting it again changes nothing.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from harness import text as words
from harness.digest import file_name
from harness.exports import Place, package_of
from harness.report import tracked_runs
from harness.report.tracked_runs import Series, SystemRun
from harness.results import read

PLACE: Place = "folder"
PAGES = False


def export(folder: Path, place: str) -> str:
    """Write a RESULT to a TensorBoard log folder; return a line that says where."""
    with package_of("tensorboard"):
        import tensorboard.summary.writer.record_writer  # noqa: F401

    result = read(folder)
    found = tracked_runs.by_system(result)
    whole = Path(place) / f"{file_name(result.suite.name)}-{tracked_runs.identity(result)[:8]}"
    shutil.rmtree(whole, ignore_errors=True)
    seconds = tracked_runs.created(result)
    for run in found:
        path = whole / file_name(str(run.system)) / f"events.out.tfevents.{seconds:.0f}.harness"
        path.parent.mkdir(parents=True)
        _write(path, dict(_scalars(run)), seconds)
    return f"{whole}: {words.plural(len(found), 'run')}; tensorboard --logdir {place}"


def _scalars(run: SystemRun) -> Iterator[tuple[str, Series]]:
    """Yield the loss curves, and each score at the last training step, so that it stands at the end of the curves."""
    last = max(run.points, default=0)
    yield from run.curves.items()
    for name, value in run.numbers.items():
        yield name, [(last, value)]


def _write(path: Path, scalars: dict[str, Series], seconds: float) -> None:
    """Write an event for each point, after one for the version of the format."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=seconds, file_version="brain.Event:2").SerializeToString())
        for tag, points in scalars.items():
            for step, value in points:
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write(Event(wall_time=seconds, step=step, summary=summary).SerializeToString())
