"""Keep finished steps as folders: `done/ID` exists if and only if the step finished, and never changes.

A step runs under a lease, `leases/ID`, in a folder of that lease, `work/ID.N-…`. The next try copies the files of an
interrupted try into its own folder and continues from them: the owner of the earlier lease may have been stopped, not
ended, and may go on writing. A step finishes by one rename, so the store needs a POSIX file system.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from harness.errors import StoreError
from harness.files.json_lines import sync, write_json
from harness.run.intact import RECORD, Inspector, read_record, sealed
from harness.run.lease import Lease, Lost, Pulse, alive, alone, steps_of, taken

MARK = "harness-store.json"
# What commands that need no store may have left in a folder that is to become one.
BEFORE = ("digests.json", "fits.json", "findings")
FOLDERS = ("done", "work", "leases", "logs", "lineage", "damaged")
RUN = "run-"  # begins the name of a run's lease, which protects all steps of its plan
LEFT = ".left"  # ends the name of a try's folder while it is copied: no process writes to that path
NEW = ".new"  # ends the name of a copy that is not complete yet
PART = ".part"  # ends the name of a result that lacks some needed steps: shown by its run, never continued


@dataclass(frozen=True)
class Store:
    """A folder of finished and unfinished steps."""

    root: Path
    pulse: Pulse = field(default_factory=Pulse)

    def done(self, step: str) -> Path:
        """Return the folder of a finished step, whether or not it is there."""
        return self.root / "done" / step

    def work(self, step: str) -> Path:
        """Return the folder of the step's latest try, whether or not there is one."""
        tries = self.tries(step)
        return tries[-1] if tries else self.root / "work" / step

    def tries(self, step: str) -> list[Path]:
        """Return the folders of all tries that have not been tidied away, oldest first."""
        found = [path for path in (self.root / "work").glob(f"{step}*") if path.suffix not in (NEW, PART)]
        return sorted(found, key=_number)

    def lease(self, step: str) -> Path:
        """Return the file of a step's lease."""
        return self.root / "leases" / step

    def log(self, step: str) -> Path:
        """Return the file of a step's log."""
        return self.root / "logs" / f"{step}.log"

    @property
    def drawings(self) -> Path:
        """Return the folder of charts that were drawn, for the command `report`."""
        return self.root / "drawings"

    @property
    def pages(self) -> Path:
        """Return the folder of pages that were drawn, for the command that publishes a RESULT."""
        return self.root / "pages"

    @property
    def live(self) -> Path:
        """Return the folder of the courses of runs that are going on, for the command `view`."""
        return self.root / "live"

    @property
    def findings(self) -> Path:
        """Return the folder of findings about matrices, named by the matrices' bytes, for the step `spectra`."""
        return self.root / "findings"

    def has(self, step: str) -> bool:
        """Return whether a step is finished."""
        return self.done(step).is_dir()

    def finished(self) -> list[str]:
        """Return the ids of all finished steps."""
        return sorted(path.name for path in (self.root / "done").glob("[!.]*") if path.is_dir())

    def damaged(self) -> set[str]:
        """Return the ids of steps that were found damaged and moved out of the way, whether or not they ran again."""
        return {step_of(path) for path in (self.root / "damaged").glob("[!.]*")}

    def record(self, step: str) -> dict[str, Any]:
        """Return the record that was written when a step finished: kind, spec, seconds, hardware."""
        return read_record(self.done(step))


@dataclass(frozen=True, slots=True)
class Held:
    """A step that this process works on."""

    store: Store
    step: str
    folder: Path  # of this try alone
    lease: Lease


def is_store(root: Path) -> bool:
    """Return whether a folder is a store."""
    return os.path.isfile(root / MARK)  # noqa: PTH113  # a Path raises where the folder cannot be entered


def store_around(place: Path) -> tuple[Path, str] | None:
    """Return the store inside whose folders a path lies, and the name of that folder; None if it lies in no store."""
    whole = place.resolve()
    for path in (whole, *whole.parents):
        if path.name in (*FOLDERS, "drawings", "findings", "live", "pages") and is_store(path.parent):
            return path.parent, path.name
    return None


def existing_store(root: Path) -> Store:
    """Return the store in a folder, without changing it; raise StoreError if there is none."""
    if not is_store(root):
        found = "contains no store" if root.exists() else "is not there"
        raise StoreError(f"--store {root}: {found}; name the folder that `harness run` filled")
    return Store(root.resolve())


def open_store(root: Path) -> Store:
    """Return the store in a folder; create it if it is not there yet."""
    if re.match(r"\w+:/", str(root)):
        raise StoreError(f"--store {root}: object stores have no atomic rename; use a local disk or NFS")
    try:
        others = root.is_dir() and [
            entry for entry in root.iterdir() if MARK not in entry.name and entry.name not in BEFORE
        ]
        if others and not is_store(root):
            raise StoreError(f"--store {root}: the folder holds other things; name an empty or a new one")
        root.mkdir(parents=True, exist_ok=True)
        if not is_store(root):  # before all else: another process may open the store at the same moment
            write_json(root / MARK, {"schema": 1})
        for folder in FOLDERS:
            (root / folder).mkdir(exist_ok=True)
    except OSError as error:
        if not is_store(root):
            raise StoreError(
                f"--store {root}: {error.strerror}; name a folder that can be written"
            ) from error
    return Store(root.resolve())  # a store that can only be read is enough if every step is finished


@contextmanager
def lease(store: Store, step: str) -> Iterator[Held]:
    """Own a step for as long as the block runs; raise Busy if another running process owns it.

    If another process took the lease meanwhile, every error in the block becomes Lost.
    """
    with taken(store.lease(step), store.pulse) as token:
        try:
            folder = _begun(store, step)
            yield Held(store, step, folder, token)
            with suppress(OSError):
                folder.rmdir()  # empty if another process had finished the step
        except Exception as error:
            if token.ours():
                raise
            if store.has(step):
                for left in store.tries(step):  # folders of this process, which no other process knows
                    shutil.rmtree(left, ignore_errors=True)
            raise Lost(f"{step}: another process took it over while this one was stopped") from error


def finish(held: Held, record: dict[str, object], lineage: str = "") -> None:
    """Turn the folder of a try into the finished step; if another process was first, discard the folder.

    Raises Lost if another process owns the lease by now.
    """
    store, step, folder = held.store, held.step, held.folder
    for path in folder.rglob(".*"):
        with suppress(OSError):
            path.unlink()  # a file that a killed process was about to rename
    write_json(folder / RECORD, sealed(folder, record))
    _sync(folder)
    done = store.done(step)
    with alone(store.lease(step).parent, store.pulse):
        if not held.lease.ours():
            raise Lost(f"{step}: another process took it over while this one was stopped")
        try:
            folder.rename(done)
        except OSError:
            if not done.is_dir():
                raise
            shutil.rmtree(folder)
    sync(done.parent)
    for left in [*store.tries(step), *_unused_parts(store, step)]:
        shutil.rmtree(left, ignore_errors=True)
    if lineage:
        (store.root / "lineage" / lineage).mkdir(exist_ok=True)
        (store.root / "lineage" / lineage / step).touch()


def show(held: Held, record: dict[str, object]) -> Path:
    """Move the result of a step that lacks some needed steps to where its run reads it; the step is not finished."""
    for old in _unused_parts(held.store, held.step):
        shutil.rmtree(old, ignore_errors=True)
    write_json(held.folder / RECORD, record)
    return held.folder.rename(held.folder.with_name(held.folder.name + PART))


def relatives(store: Store, lineage: str) -> list[Path]:
    """Return finished steps whose answers a step of this lineage may continue."""
    folder = store.root / "lineage" / lineage
    if not lineage or not folder.is_dir():
        return []
    return [store.done(path.name) for path in sorted(folder.iterdir()) if store.has(path.name)]


def set_aside(store: Store, step: str) -> Path | None:
    """Move a damaged step out of the way and return its new place; None if another process did so before."""
    aside, done = store.root / "damaged", store.done(step)
    aside.mkdir(exist_ok=True)
    with alone(store.root / "leases", store.pulse):
        if not done.is_dir() or Inspector().damage(done) is None:
            return None
        number = 1 + max((_number(path) for path in aside.glob(f"{step}-*")), default=0)
        return done.rename(aside / f"{step}-{number}")


@contextmanager
def in_use(store: Store, steps: Iterable[str]) -> Iterator[None]:
    """Protect these steps from `prune` for as long as the block runs."""
    leases = store.root / "leases"
    with alone(leases, store.pulse):
        for run in leases.glob(f"{RUN}*"):
            if not alive(run, store.pulse):
                run.unlink(missing_ok=True)
    with taken(leases / f"{RUN}{token_hex(8)}", store.pulse, steps, rewrite=True):
        yield


def live_leases(store: Store) -> list[Path]:
    """Return the leases of running processes: of the steps that they run, and of whole runs."""
    return [path for path in (store.root / "leases").glob("[!.]*") if alive(path, store.pulse)]


def _unused_parts(store: Store, step: str) -> list[Path]:
    """Return the incomplete results that were shown of a step; none if another run may be reading them."""
    runs = [path for path in live_leases(store) if step in steps_of(path)]
    return list((store.root / "work").glob(f"{step}.*{PART}")) if len(runs) <= 1 else []


def _begun(store: Store, step: str) -> Path:
    """Return a new folder for a try, with a copy of the files that the latest try left."""
    tries = store.tries(step)
    number = 1 + _number(tries[-1]) if tries else 1
    folder = store.root / "work" / f"{step}.{number}-{token_hex(4)}"
    if store.has(step):
        return folder
    fresh = folder.with_name(folder.name + NEW)
    try:
        fresh.mkdir()
        if tries:
            left = tries[-1]
            if left.suffix != LEFT:  # renamed, so that only files that are already open can still change
                left = left.rename(left.with_name(left.name + LEFT))
                tries[-1] = left
            shutil.copytree(left, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    for old in [*tries, *(store.root / "work").glob(f"{step}.*{NEW}")]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def step_of(folder: Path) -> str:
    """Return the step that a folder belongs to: `ID` for `ID`, for `ID.3-9f2c41aa` and for `ID-2`."""
    return re.split(r"[.-]", folder.name)[0]


def _number(folder: Path) -> int:
    """Return the number of a folder's try: 3 for `ID.3-9f2c41aa`, 0 for a folder without a number, as older stores have."""
    found = re.match(r"[^.-]+[.-](\d+)", folder.name)
    return int(found[1]) if found else 0


def _sync(folder: Path) -> None:
    """Write a folder's files, and their names, through to the disk."""
    for path in folder.rglob("*"):
        if path.is_file() or path.is_dir():
            sync(path)
    sync(folder)
