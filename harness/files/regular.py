"""Files of strangers: opened only where they are files, and read only so far.

A pipe keeps its reader waiting, and a device may be read without end.
"""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from harness.errors import NotRegular

LARGEST = 1 << 28  # bytes that are read at once; the largest real files have some 20 million
_NO_FILE = (errno.ENXIO, errno.EOPNOTSUPP)  # what opening a socket, or a device that is not there, says


def open_regular(path: Path) -> BufferedReader:
    """Open a file, or what a link leads to, for reading; NotRegular where it is a pipe, a device or a socket."""
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
    """Raise NotRegular, or OSError, where a library could not open and read the file at once."""
    open_regular(path).close()


def regular_text(path: Path) -> str:
    """Read a text; ValueError where it has more than LARGEST bytes, or is no text."""
    content = read_regular(path, LARGEST)
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST:,} bytes")
    return content.decode("utf-8")


def read_regular(path: Path, most: int) -> bytes:
    """Read a file, or one byte more than the `most` that are wanted."""
    with open_regular(path) as file:
        return file.read(most + 1)


def _refused(path: Path) -> NotRegular:
    return NotRegular(f"{path}: not a regular file; put a file in its place")


def file_digest(path: Path) -> str:
    """64 hex digits of SHA-256 over the file's bytes, read in blocks."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
