"""Write the course of a run into its store while it goes on, and read the courses of all runs there (`harness view`).

A course is a file of the store's folder `live`. It names its process as a lease does, is written again every few seconds,
and is removed when the run ends; one whose process has ended is not shown.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from pydantic import ValidationError

from harness.commands.course import Course
from harness.commands.progress import left_of, position, repeated
from harness.files.json_lines import from_json, to_json
from harness.files.regular import regular_text
from harness.report.site.live import LiveRun, LiveStep
from harness.results.pathless import without_paths
from harness.results.values import refused_constant
from harness.run.lease import alive, this_process
from harness.run.store import Store

SECONDS = 2.0  # between two writings of a course
LARGEST = 1 << 20  # bytes of a course that are read
MOST = 100  # running steps, and failures, of a course


@contextmanager
def recorded(course: Course, suite: str, out: Path, store: Store) -> Iterator[None]:
    """Write the course of a run for as long as the block runs; a store that cannot be written is left as it is."""
    if not course.total:
        yield
        return
    path = store.live / f"{token_hex(8)}.json"
    since, owner = datetime.now(UTC).isoformat(timespec="seconds"), asdict(this_process())

    def write() -> None:
        with suppress(OSError):
            content = {"owner": owner, "run": to_json(_run(course, suite, out, since))}
            beside = path.with_suffix(".part")
            beside.write_text(json.dumps(content), encoding="utf-8")
            beside.replace(path)

    with suppress(OSError):
        store.live.mkdir(exist_ok=True)
        for left in store.live.glob("*.json"):  # of a process that was killed
            if not _alive(left, store):
                left.unlink(missing_ok=True)
    try:
        with repeated(write, SECONDS):
            yield
    finally:
        with suppress(OSError):
            path.with_suffix(".part").unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def going_on(store: Store) -> list[LiveRun]:
    """Return the courses of the runs whose processes still run, the oldest first."""
    found = []
    for path in store.live.glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, ValidationError, RecursionError):
            if path.stat().st_size > LARGEST or not _alive(path, store):
                continue
            content = json.loads(regular_text(path), parse_constant=refused_constant)
            found.append(from_json(LiveRun, content["run"]))
    return sorted(found, key=lambda run: run.since)


def as_json(runs: list[LiveRun]) -> str:
    """Return the courses as the page asks for them."""
    return json.dumps({"runs": [to_json(run) for run in runs]})


def _alive(path: Path, store: Store) -> bool:
    """Return whether the process that writes a course still runs; False for a file that no run wrote."""
    with suppress(RecursionError):
        return alive(path, store.pulse)
    return False


def _run(course: Course, suite: str, out: Path, since: str) -> LiveRun:
    running = list(course.running.values())
    return LiveRun(
        suite=suite,
        out=without_paths(str(out)),
        since=since,
        elapsed_seconds=course.elapsed_seconds,
        done=course.ended_steps,
        total=course.total,
        left=left_of(course),
        running=tuple(
            LiveStep(
                label=at.step.label, done=at.done, total=at.total,
                says=position(course, at).removeprefix(at.step.label).removeprefix(": "),
            )
            for at in running[:MOST]
        ),
        failures=tuple(course.failures[:MOST]),
    )  # fmt: skip
