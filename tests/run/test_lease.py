"""Who owns a lease: real processes, namespaces and file times."""

import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.run.lease import Busy, Lost, Pulse, alive, taken, this_process

USUAL = Pulse()
SHORT = Pulse(beat_seconds=0.05, stale_seconds=1.0)
CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]
HOLD = """
import sys
from pathlib import Path
from harness.run.lease import Pulse, taken
with taken(Path(sys.argv[1]), Pulse(beat_seconds=0.05, stale_seconds=1.0)):
    print("taken", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "leases").mkdir()
    return tmp_path / "leases" / "step"


def free(path: Path, pulse: Pulse) -> bool:
    try:
        with taken(path, pulse):
            return True
    except Busy:
        return False


def becomes(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


@contextmanager
def container(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the lease in a namespace of process ids of its own, as in a container with host networking."""
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces of process ids: unshare --pid needs root")
    process = subprocess.Popen(
        [*CONTAINER, sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_lease_names_its_owner_beyond_doubt_and_goes_with_it(path: Path) -> None:
    with taken(path, USUAL, ["a", "b"]):
        content = json.loads(path.read_text())
        assert content["owner"] == {
            "host": os.uname().nodename,
            "boot": this_process().boot,
            "namespace": this_process().namespace,
            "pid": os.getpid(),
            "started": this_process().started,
        }
        assert content["steps"] == ["a", "b"]
        assert not free(path, USUAL)
    assert [left.name for left in path.parent.iterdir()] == [".lock"]


@pytest.mark.slow
def test_a_live_owner_in_another_namespace_keeps_its_lease(path: Path) -> None:
    """Its id is that of another process here, or of none."""
    with container(path):
        until = time.monotonic() + 1.5 * SHORT.stale_seconds
        while time.monotonic() < until:
            assert not free(path, SHORT)


def test_a_dead_owner_in_another_namespace_loses_its_lease_when_its_heart_stops(path: Path) -> None:
    with container(path) as process:
        os.killpg(process.pid, signal.SIGKILL)
        assert not free(path, USUAL)
        assert becomes(lambda: free(path, SHORT))


def _hold(path: Path, held: "multiprocessing.synchronize.Event") -> None:
    with taken(path, USUAL):
        held.set()
        time.sleep(60)


@pytest.mark.parametrize("reaped", [True, False])
def test_the_lease_of_a_killed_process_is_free_at_once(path: Path, reaped: bool) -> None:
    """Also where its parent does not ask how it ended, as the first process of many containers does not."""
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=_hold, args=(path, held))
    process.start()
    assert held.wait(10)
    assert not free(path, USUAL)
    process.kill()
    multiprocessing.connection.wait([process.sentinel])
    if reaped:
        process.join()
    assert becomes(lambda: free(path, USUAL))
    process.join()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"owner": {"host": "a", "bo',
        b"[]",
        b"\xff\xfe",
        b'{"owner": null}',
        b'{"owner": {"host": "a", "boot": "b", "namespace": 1, "pid": "1", "started": 1}}',
        b'{"owner": {"host": "a", "boot": "b", "namespace": 1, "pid": -1, "started": 1}}',
        json.dumps({"owner": {"host": "far", "boot": "b", "namespace": 1, "pid": 1, "started": 1}}).encode(),
    ],
)
def test_a_lease_of_another_machine_or_of_nobody_lives_by_its_heartbeat_alone(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    assert not free(path, USUAL)
    then = time.time() - USUAL.stale_seconds - 1
    os.utime(path, (then, then))
    assert free(path, USUAL)


def test_a_heartbeat_from_the_future_does_not_block_for_ever(path: Path) -> None:
    path.write_bytes(b"{}")
    then = time.time() + 3600
    os.utime(path, (then, then))
    assert not free(path, SHORT)
    assert becomes(lambda: free(path, SHORT))


@pytest.mark.slow
def test_a_heartbeat_from_the_future_is_no_reason_to_take_a_live_owners_lease(path: Path) -> None:
    with container(path):
        then = time.time() + 3600
        os.utime(path, (then, then))
        until = time.monotonic() + 1.5 * SHORT.stale_seconds
        while time.monotonic() < until:
            assert not free(path, SHORT)


def test_who_lost_a_lease_learns_it_at_the_next_heartbeat_and_leaves_the_others_alone(path: Path) -> None:
    with taken(path, SHORT) as lease:
        lease.check()
        path.write_text("another's")
        assert lease.lost.wait(10)
        with pytest.raises(Lost):
            lease.check()
        assert not lease.ours()
    assert path.read_text() == "another's"


def test_a_lease_that_nobody_competes_for_is_written_again(path: Path) -> None:
    with taken(path, SHORT, ["a"], rewrite=True):
        path.unlink()
        assert becomes(path.exists)
        assert alive(path, SHORT)


@pytest.mark.slow
def test_a_stopped_process_that_has_the_lock_blocks_nobody_for_ever(path: Path) -> None:
    lock = f"import fcntl, signal, os; f = open({str(path.parent / '.lock')!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX); "
    code = lock + "print('locked', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        assert free(path, SHORT)
    finally:
        process.kill()
        process.communicate()
