"""Finished steps as folders: `done/ID` exists if and only if the step finished, and never changes.

A step works in `work/ID` under a lease, `leases/ID`, a file whose time is renewed while its owner lives. What an
interrupted try left there, the next one continues. Finishing is one rename, so it needs a POSIX file system.
"""

import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil

from harness.errors import StoreError
from harness.records import read_json, write_json

HEARTBEAT_SECONDS = 5.0
STALE_SECONDS = 30.0  # a lease this old belongs to a machine that is gone
CLOCK_SECONDS = 2.0  # a process seems to start at another time when the system's clock is set
MARK = "harness-store.json"
BEFORE = (
    "digests.json",
    "fits.json",
    "findings",
)  # what commands that need no store may have left where one is to be


class Busy(StoreError):
    """Another live process works on the step."""


@dataclass(frozen=True)
class Store:
    """A folder of finished and unfinished steps."""

    root: Path

    def done(self, step: str) -> Path:
        return self.root / "done" / step

    def work(self, step: str) -> Path:
        return self.root / "work" / step

    def lease(self, step: str) -> Path:
        return self.root / "leases" / step

    def log(self, step: str) -> Path:
        return self.root / "logs" / f"{step}.log"

    @property
    def drawings(self) -> Path:
        """Charts that were drawn, for `report`."""
        return self.root / "drawings"

    @property
    def findings(self) -> Path:
        """What is known of matrices by their bytes, for `spectra`."""
        return self.root / "findings"

    def has(self, step: str) -> bool:
        return self.done(step).is_dir()

    def record(self, step: str) -> dict[str, object]:
        """What was written when the step finished: kind, spec, seconds, hardware."""
        content: dict[str, object] = read_json(self.done(step) / "step.json")
        return content


def is_store(root: Path) -> bool:
    return (root / MARK).is_file()


def open_store(root: Path) -> Store:
    """The store at a folder, made if it is not there yet."""
    if re.match(r"\w+:/", str(root)):
        raise StoreError(f"--store {root}: object stores have no atomic rename; use a local disk or NFS")
    others = root.is_dir() and [
        entry for entry in root.iterdir() if MARK not in entry.name and entry.name not in BEFORE
    ]
    if others and not is_store(root):
        raise StoreError(f"--store {root}: the folder holds other things; name an empty or a new one")
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not is_store(root):  # first of all: another process may open the store at this moment
            write_json(root / MARK, {"schema": 1})
        for folder in ("done", "work", "leases", "logs", "lineage"):
            (root / folder).mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"--store {root}: {error.strerror}; name a folder that can be written") from error
    return Store(root.resolve())


@contextmanager
def lease(store: Store, step: str) -> Iterator[Path]:
    """Owns the step's work folder for as long as the block runs; Busy where a live process has it."""
    path, folder = store.lease(step), store.work(step)
    _take(path)
    stop = Event()
    beat = Thread(target=_renew, args=(path, stop), daemon=True)
    beat.start()
    try:
        folder.mkdir(exist_ok=True)
        yield folder
    finally:
        stop.set()
        beat.join()
        with suppress(OSError):
            folder.rmdir()  # if it is empty: another had finished the step
        path.unlink(missing_ok=True)


def finish(store: Store, step: str, record: dict[str, object], lineage: str = "") -> None:
    """Turns the work folder into the finished one. Where another was first, ours is discarded."""
    folder, done = store.work(step), store.done(step)
    write_json(folder / "step.json", record)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    try:
        folder.rename(done)
    except OSError:
        if not done.is_dir():
            raise
        shutil.rmtree(folder)
    _sync_folder(done.parent)
    if lineage:
        (store.root / "lineage" / lineage).mkdir(exist_ok=True)
        (store.root / "lineage" / lineage / step).touch()


def relatives(store: Store, lineage: str) -> list[Path]:
    """Finished steps whose answers a step of this lineage may continue."""
    folder = store.root / "lineage" / lineage
    if not lineage or not folder.is_dir():
        return []
    return [store.done(path.name) for path in sorted(folder.iterdir()) if store.has(path.name)]


def prune(store: Store, keep: set[str]) -> int:
    """Deletes finished and abandoned steps that are not to be kept; says how many bytes that freed."""
    freed = 0
    for folder in [*(store.root / "done").iterdir(), *(store.root / "work").iterdir()]:
        if folder.name in keep or _alive(store.lease(folder.name)):
            continue
        freed += folder_bytes(folder)
        shutil.rmtree(folder)
        store.log(folder.name).unlink(missing_ok=True)
    return freed


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _take(path: Path) -> None:
    """Writes our lease where there is none, or that of a dead owner."""
    me = psutil.Process()
    with _alone(path.parent):
        if _alive(path):
            raise Busy(f"{path.name} is being worked on by another process")
        mine = path.with_name(f"{path.name}.{me.pid}")
        owner = {"host": socket.gethostname(), "pid": me.pid, "started": me.create_time()}
        mine.write_text(json.dumps(owner))
        mine.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time looks at leases and takes one. The lock ends with the process that holds it."""
    with (folder / ".lock").open("a") as file:
        with suppress(OSError):  # some network file systems have no locks: leases alone have to do there
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _alive(path: Path) -> bool:
    """Whether the lease's owner lives: on this machine its process, elsewhere its heartbeat."""
    try:
        age = time.time() - path.stat().st_mtime
        owner = json.loads(path.read_text())
    except FileNotFoundError:
        return False
    if owner["host"] != socket.gethostname():
        return age < STALE_SECONDS
    try:
        started: float = psutil.Process(owner["pid"]).create_time()
        return bool(abs(started - owner["started"]) < CLOCK_SECONDS)
    except psutil.NoSuchProcess:
        return False


def _renew(path: Path, stop: Event) -> None:
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            os.utime(path)
        except FileNotFoundError:
            return


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
