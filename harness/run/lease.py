"""Own something by a lease: a file that names its owner, and that the owner renews for as long as it runs.

An owner is a process, named by its host, the host's boot, its namespace of process ids, its id and its start. Where host,
boot and namespace are also those of this process, the process id shows whether the owner still runs. Elsewhere the time
of the lease decides, by the clock of the file system that contains it: hosts disagree about the time, and containers may
share a host's name.
"""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from secrets import token_hex
from threading import Event, Thread
from typing import Any

import psutil

from harness.errors import StoreError
from harness.files.json_lines import flush

# File systems round times; a lease further in the future was written before the clock was set back.
CLOCK_SECONDS = 2.0
# How far two readings of one process's start may differ: in ticks on Linux, elsewhere in seconds of a clock that may be set.
ALIKE = 2.0
LOCK_WAIT_SECONDS = 0.002
LOCK = ".lock"  # in a folder of leases; its time is also how the file system's clock is read


class Busy(StoreError):
    """Another running process owns the lease."""


class Lost(StoreError):
    """This process owned the lease, and another process owns it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How often a lease is renewed, and after how long without renewal it has no owner any more."""

    beat_seconds: float = 5.0
    stale_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process, named without ambiguity; a field is None if it cannot be known here."""

    host: str
    boot: str | None
    namespace: int | None  # of process ids: an inode
    pid: int
    started: float  # ticks since the boot on Linux, elsewhere seconds since 1970


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that this process took."""

    path: Path
    content: bytes  # differs from every other lease
    pulse: Pulse
    lost: Event

    def ours(self) -> bool:
        """Return whether the file is still what this process wrote."""
        try:
            return self.path.read_bytes() == self.content
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """Raise Lost if the last renewal found another owner, or no lease."""
        if self.lost.is_set():
            raise Lost(f"{self.path.name}: another process took it over while this one was stopped")


@contextmanager
def taken(path: Path, pulse: Pulse, steps: Iterable[str] = (), *, rewrite: bool = False) -> Iterator[Lease]:
    """Take a lease and renew it for as long as the block runs; raise Busy if a running process owns it.

    `steps` are further steps that the lease protects. With `rewrite`, a lease that has disappeared is written again:
    no other process competes for it.
    """
    content = {"owner": asdict(this_process()), "token": token_hex(8), "steps": sorted(steps)}
    lease = Lease(path, json.dumps(content).encode(), pulse, Event())
    with _written(lease) as fresh, alone(path.parent, pulse):
        if alive(path, pulse):
            raise Busy(f"{path.name} is being worked on by another process")
        fresh.replace(path)
    stop = Event()
    beat = Thread(target=_renew, args=(lease, stop, rewrite), daemon=True)
    beat.start()
    try:
        yield lease
    finally:
        stop.set()
        beat.join()
        with suppress(OSError), alone(path.parent, pulse):
            if lease.ours():
                path.unlink()


@contextmanager
def alone(folder: Path, pulse: Pulse) -> Iterator[None]:
    """Let one process at a time read a folder's leases and take one. The lock ends with the process that owns it.

    The lock is no guarantee: some network file systems have no locks, and its owner may have been stopped.
    """
    with (folder / LOCK).open("a") as file:
        until = time.monotonic() + pulse.stale_seconds
        while time.monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(LOCK_WAIT_SECONDS)
            except OSError:
                break
        yield


def alive(path: Path, pulse: Pulse) -> bool:
    """Return whether the lease's owner still runs, by its process if that can be seen from here, else by its renewals.

    A lease that cannot be read, such as an empty one, is judged by its renewals alone.
    """
    try:
        with path.open("rb") as file:  # opened first: a network file system then asks its server for the time
            beat = os.fstat(file.fileno()).st_mtime
            owner = _owner(file.read())
    except FileNotFoundError:
        return False
    except OSError:  # another user's, or no file at all
        if not os.path.lexists(path):
            return False
        beat, owner = path.lstat().st_mtime, None
    running = None if owner is None else _running(owner)
    return _beating(path, beat, pulse) if running is None else running


def steps_of(path: Path) -> frozenset[str]:
    """Return the steps that a lease protects."""
    try:
        return frozenset(map(str, json.loads(path.read_bytes())["steps"]))
    except (OSError, ValueError, TypeError, KeyError):
        return frozenset()


def this_process() -> Owner:
    """Return the running process as the owner of a lease."""
    pid = os.getpid()
    started = _started(pid)
    return Owner(
        host=socket.gethostname(),
        boot=None if started is None else _boot(),
        namespace=_namespace(),
        pid=pid,
        started=started or 0.0,
    )


def _owner(content: bytes) -> Owner | None:
    """Return the owner that a lease names; None if it is empty, incomplete or of another kind."""
    try:
        found = json.loads(content)["owner"]
        owner = Owner(**{field.name: found[field.name] for field in fields(Owner)})
    except (ValueError, TypeError, KeyError):
        return None
    numbers = isinstance(owner.started, float | int) and isinstance(owner.pid, int)
    return owner if numbers and 0 < owner.pid < 2**31 else None


def _running(owner: Owner) -> bool | None:
    """Return whether the owner's process runs; None where that cannot be seen from here."""
    here = this_process()
    known = here.boot is not None and here.namespace is not None
    if not known or (owner.host, owner.boot, owner.namespace) != (here.host, here.boot, here.namespace):
        return None
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's, which may be hidden
        pass
    started = _started(owner.pid)
    return None if started is None else abs(started - owner.started) < ALIKE


def _beating(path: Path, beat: float, pulse: Pulse) -> bool:
    """Return whether the last renewal is recent by the file system's clock.

    A renewal in the future was made before that clock was set back. Its time is set to now: an owner that still runs
    renews the lease, and without an owner the lease becomes old.
    """
    clock = path.with_name(LOCK)
    clock.touch()
    age = clock.stat().st_mtime - beat
    if age < -CLOCK_SECONDS:
        _set_to_now(path)
        return True
    return age < pulse.stale_seconds


def _set_to_now(path: Path) -> None:
    with suppress(FileNotFoundError):
        try:
            os.utime(path)
        except PermissionError:  # another user's, in a folder that both may write
            copy = path.with_name(f".{path.name}.{token_hex(4)}")
            copy.write_bytes(path.read_bytes())
            copy.replace(path)


def _renew(lease: Lease, stop: Event, rewrite: bool) -> None:
    while not stop.wait(lease.pulse.beat_seconds):
        try:
            if lease.ours():
                _set_to_now(lease.path)
            elif rewrite:
                with _written(lease) as fresh:
                    fresh.replace(lease.path)
            else:
                lease.lost.set()
                return
        except OSError:  # a server that does not answer now may do so at the next beat
            continue


@contextmanager
def _written(lease: Lease) -> Iterator[Path]:
    """Write the lease to a file beside its place, complete and on the disk; the block can move the file there."""
    fresh = lease.path.with_name(f".{lease.path.name}.{token_hex(4)}")
    try:
        with fresh.open("wb") as file:
            file.write(lease.content)
            flush(file)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _boot() -> str | None:
    if sys.platform != "linux":
        return f"{psutil.boot_time():.0f}"
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def _namespace() -> int | None:
    """Return the inode of this process's namespace of ids; None where /proc shows another namespace's processes."""
    if sys.platform != "linux":
        return 0
    try:
        own = Path("/proc/self").readlink() == Path(str(os.getpid()))
        return Path("/proc/self/ns/pid").stat().st_ino if own else None
    except OSError:
        return None


def _started(pid: int) -> float | None:
    """Return when a process started; -1 for one that has ended, None where that cannot be seen."""
    if sys.platform != "linux":
        return _started_elsewhere(pid)
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return -1.0 if state in (b"Z", b"X") else float(rest[18])  # field 22 of proc(5)
    except (OSError, ValueError, IndexError):
        return None


def _started_elsewhere(pid: int) -> float | None:
    try:
        process: Any = psutil.Process(pid)
        return -1.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return -1.0
    except psutil.Error:
        return None
