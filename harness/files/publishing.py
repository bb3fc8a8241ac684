"""Replace a folder by another; a reader sees the complete old folder or the complete new one.

The new folder is built beside its target as `.NAME.new-…`, written to the disk, and takes the target's place in one
exchange (`renameat2` of Linux). Where the system or the file system has no exchange, the target is first renamed to
`.NAME.old-…`. A process that is killed between these two renames leaves no target: the next reader or writer renames the
old folder back.

A lock, `.NAME.lock`, lets one process at a time publish into a target. The lock's next owner removes the files that a
killed process left.
"""

import errno
import fcntl
import os
import re
import secrets
import shutil
import socket
import stat
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from harness.errors import HarnessError
from harness.files.json_lines import sync

Way = Literal["exchange", "renames"]
Tell = Callable[[str], None]

LOCKED_BY = "process "  # begins the content of a lock
EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
WORKING_FOLDER = -100  # AT_FDCWD of fcntl.h
# What renameat2 says where the file system or a sandbox has no exchange.
NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A target that no other process publishes into."""

    target: Path
    token: str  # part of the names of this owner's hidden folders
    way: Way
    tell: Tell

    def stage(self, source: Path, leave_out: Container[str] = ()) -> Path:
        """Copy a folder to a hidden one beside the target."""
        fresh = self._hidden("new")
        copy(source, fresh, leave_out)
        return fresh

    def put(self, fresh: Path) -> None:
        """Put a staged folder in the target's place, and remove the old folder."""
        _sync(fresh)
        inside = _working_folder_in(self.target)
        if not self.target.exists():
            fresh.rename(self.target)
        elif not (self.way == "exchange" and _exchange(fresh, self.target)):
            aside = self._hidden("old")
            self.target.rename(aside)
            fresh.rename(self.target)
            aside.rename(fresh)  # under this name no process renames it back
        sync(self.target.parent)
        if inside is not None:  # relative paths would still lead into the old folder
            with suppress(OSError):
                os.chdir(self.target / inside)
            self.tell(
                f"{self.target}: the folder that you are in was replaced; `cd .` leads into the new one"
            )
        shutil.rmtree(fresh, ignore_errors=True)

    def keep_as(self, name: str) -> Path:
        """Copy the target as it is to a name beside it; a number is added where the name is taken."""
        fresh = self.stage(self.target)
        _sync(fresh)
        kept, number = self.target.with_name(name), 2
        while kept.exists():
            kept, number = self.target.with_name(f"{name}-{number}"), number + 1
        fresh.rename(kept)
        return kept

    def remove(self) -> None:
        """Remove the target, which disappears at once."""
        gone = self._hidden("new")
        self.target.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _hidden(self, kind: str) -> Path:
        return self.target.with_name(f"{_prefix(self.target, kind)}{self.token}-{secrets.token_hex(2)}")


def _working_folder_in(target: Path) -> Path | None:
    with suppress(OSError, ValueError):
        return Path.cwd().relative_to(target)
    return None


def to_stderr(line: str) -> None:
    """Print a line on standard error."""
    from harness.terminal.printed import warn

    warn(line)


@contextmanager
def owned(target: Path, *, way: Way = "exchange", tell: Tell = to_stderr) -> Iterator[Owned]:
    """Own a target for as long as the block runs; if another process owns it, print a line and wait."""
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    with _locked(target, tell) as alone:
        _bring_back(target)
        _clean(target, "" if alone else token)
        try:
            yield Owned(target=target, token=token, way=way, tell=tell)
        finally:
            _bring_back(target)
            _clean(target, token)


@contextmanager
def owned_if_possible(target: Path) -> Iterator[None]:
    """Own an existing folder for as long as the block runs; go on without a lock if none can be written beside it."""
    with ExitStack() as stack:
        if target.is_dir():
            with suppress(OSError):
                stack.enter_context(owned(target))
        yield


def recovered(target: Path) -> bool:
    """Rename a folder back that a killed process had renamed; return whether the target is there."""
    with suppress(OSError):
        target = target.resolve()
        if not target.exists() and _left(target, "old"):
            with owned(target):
                pass
    return target.is_dir()


def refuse_unwritable(target: Path, option: str) -> None:
    """Raise HarnessError if no folder can be published at the target. No file is left behind."""
    try:
        place = target.resolve()
        if place.exists() and not place.is_dir():
            raise HarnessError(f"{option} {target}: found a file; name an empty or a new folder")
        if place.is_mount():
            raise HarnessError(
                f"{option} {target}: found a mount point, which cannot be renamed; name a folder in it, "
                f"such as {target / 'result'}"
            )
        parent = place.parent
        while not parent.exists():
            parent = parent.parent
        probe = parent / f"{_prefix(place, 'try')}{secrets.token_hex(6)}"
        probe.mkdir()
        probe.rmdir()
    except (OSError, RuntimeError) as error:  # RuntimeError: a symbolic link that leads to itself
        reason = getattr(error, "strerror", None) or error
        raise HarnessError(
            f"{option} {target}: cannot be made: {reason}; name a folder in a place that can be written"
        ) from error


def copy(source: Path, target: Path, leave_out: Container[str] = ()) -> None:
    """Copy a folder; symbolic links stay links, and anything but files, folders and links is left out."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.name not in leave_out:
            _copy_entry(path, target / path.name)


def _copy_entry(path: Path, place: Path) -> None:
    if path.is_symlink():
        place.symlink_to(path.readlink())
    elif path.is_dir():
        copy(path, place)
    elif path.is_file():
        shutil.copy2(path, place)


# The lock.


@contextmanager
def _locked(target: Path, tell: Tell) -> Iterator[bool]:
    """Hold the target's lock; yield False if the file system has no locks, so that other processes are not kept out."""
    path = target.with_name(f".{target.name}.lock")
    file = _take(path, target, tell)
    if file is None:
        yield False
        return
    with file:
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def _take(path: Path, target: Path, tell: Tell) -> IO[str] | None:
    while True:
        file = _open_lock(path, target)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tell(f"{target}: waiting for {_owner(path)}, which writes there")
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            return None
        except BaseException:  # Ctrl-C while waiting
            file.close()
            raise
        if _is_at(file, path):  # else the last owner has removed the file meanwhile
            file.truncate(0)
            file.write(f"{LOCKED_BY}{os.getpid()} on {socket.gethostname()}")
            file.flush()
            return file
        file.close()


def _open_lock(path: Path, target: Path) -> IO[str]:
    """Open the lock; raise HarnessError if another kind of file is there, which would be overwritten."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    refused = HarnessError(
        f"{path}: not a lock of the harness, and stands where that of {target} is needed; move it"
    )
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):  # a link, a folder, a socket
            raise refused from error
        raise
    begins = stat.S_ISREG(os.fstat(handle).st_mode) and os.pread(handle, len(LOCKED_BY), 0)
    if begins not in (b"", LOCKED_BY.encode()):  # False: a pipe or a device
        os.close(handle)
        raise refused
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"


# Folders that an earlier process left.


def _prefix(target: Path, kind: str) -> str:
    return f".{target.name}.{kind}-"


def _left(target: Path, kind: str) -> list[Path]:
    """Return hidden folders beside the target, the newest first."""
    ours = re.compile(re.escape(_prefix(target, kind)) + r"[0-9a-f]{8}-[0-9a-f]{4}")
    found = [folder for folder in target.parent.iterdir() if ours.fullmatch(folder.name)]
    return sorted(found, key=_modified, reverse=True)


def _modified(path: Path) -> float:
    with suppress(OSError):  # without locks, the owner may remove it at the same moment
        return path.stat().st_mtime
    return 0.0


def _bring_back(target: Path) -> None:
    if not target.exists():
        for aside in _left(target, "old")[:1]:
            aside.rename(target)


def _clean(target: Path, token: str) -> None:
    """Remove the hidden folders beside the target whose names contain the token; all of them for an empty token."""
    for kind in ("new", "old"):
        for path in _left(target, kind):
            if path.name.startswith(_prefix(target, kind) + token):
                shutil.rmtree(path, ignore_errors=True)


# The disk.


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False if the system cannot do that."""
    import ctypes

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(WORKING_FOLDER, os.fsencode(one), WORKING_FOLDER, os.fsencode(other), EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sync(folder: Path) -> None:
    """Write every file and folder through to the disk."""
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            _sync(path)
        elif stat.S_ISREG(mode):
            with suppress(PermissionError):  # a file of another user
                sync(path)
    sync(folder)
