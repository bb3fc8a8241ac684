"""Read files from unknown sources: only regular files, and only up to a limit.

Reading a pipe may wait forever, and reading a device may never end.
"""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from harness.errors import NotRegular

LARGEST = 1 << 28  # bytes of a file that is read in one go; the largest real files have some 20 million
_NO_FILE = (errno.ENXIO, errno.EOPNOTSUPP)  # the errors of opening a socket, or a device that is not there


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, also through a link; raise NotRegular if it is a pipe, a device or a socket."""
    try:
        # Without waiting: opening a pipe waits until somebody writes into it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        raise _refused(path) from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        os.close(handle)
        raise _refused(path)
    try:
        return os.fdopen(handle, "rb")
    except IsADirectoryError as error:
        os.close(handle)
        raise IsADirectoryError(error.errno, error.strerror, str(path)) from None


def check_regular(path: Path) -> None:
    """Raise NotRegular or OSError if a library could not open the file and read it without waiting."""
    open_regular(path).close()


def regular_text(path: Path) -> str:
    """Return a file's text; raise ValueError if it has more than LARGEST bytes, or is not UTF-8."""
    content = read_regular(path, LARGEST)
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST:,} bytes")
    return content.decode("utf-8")


def read_regular(path: Path, most: int) -> bytes:
    """Return a file's bytes, at most one more than `most`, so that the caller sees if there are more."""
    with open_regular(path) as file:
        return file.read(most + 1)


def _refused(path: Path) -> NotRegular:
    return NotRegular(f"{path}: not a regular file; put a file in its place")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes as 64 hex digits; the file is read in blocks."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
