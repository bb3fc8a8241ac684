"""Facts read from files, kept between runs: they are not read again while the files stay unchanged."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.checkpoints import folder as checkpoint
from harness.digest import digest
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.files.regular import file_digest
from harness.types import Handshake, Split

# A file younger than this is digested each time: it may change again within the resolution of its time stamp.
_SETTLED_NANOSECONDS = 2_000_000_000

SampleCount = Annotated[int, Field(ge=0, le=10**12)]


@dataclass(slots=True, kw_only=True)
class Remembered:
    """Facts that need not be computed again while the files they were read from stay unchanged."""

    # path -> size, mtime in ns, inode, digest
    digests: dict[str, tuple[int, int, int, str]] = field(default_factory=dict)
    # digest of task and data -> samples in each split
    samples: dict[str, dict[Split, SampleCount]] = field(default_factory=dict)
    # the same digest -> what was remarkable about the samples, with its count
    remarks: dict[str, dict[str, SampleCount]] = field(default_factory=dict)
    # place@revision -> type, parameters, bytes
    checkpoints: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    # digest of a model on a server -> what the server showed the last time
    handshakes: dict[str, Handshake] = field(default_factory=dict)
    # digest of an adapter on a server -> digest of what it answered the last time
    served_adapters: dict[str, str] = field(default_factory=dict)
    # what was checked and found sound -> warnings about it
    passed: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Remembered":
        """Return what an earlier run wrote; empty where there is no file or it cannot be read."""
        try:
            return from_json(cls, read_json(path))
        except (OSError, ValueError, RecursionError):  # pydantic's errors are ValueErrors
            return cls()

    def save(self, path: Path) -> None:
        """Write the facts for later runs; a failure is ignored, since everything can be computed again."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {part.name: to_json(getattr(self, part.name)) for part in fields(self)})

    def file_digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, which is read again only when its path, size, time or inode differ."""
        now = time.time_ns()  # before the file is read: a later change has a later time
        status = path.stat()
        seen = (status.st_size, status.st_mtime_ns, status.st_ino)
        key = str(path.absolute())
        known = self.digests.get(key)
        if known is not None and known[:3] == seen:
            return known[3]
        found = file_digest(path)
        if now - status.st_mtime_ns > _SETTLED_NANOSECONDS:
            self.digests[key] = (*seen, found)
        return found

    def files_digest(self, paths: tuple[Path, ...]) -> str:
        """Return a digest of files by name and content."""
        return digest({path.name: self.file_digest(path) for path in paths})

    def look(self, key: str, at: Callable[[], Iterable[str]]) -> list[str]:
        """Return the warnings of a check. A check that raised is made again the next time."""
        if key not in self.passed:
            self.passed[key] = list(at())
        return self.passed[key]

    def checkpoint(self, key: str, read: Callable[[], checkpoint.Checkpoint]) -> checkpoint.Checkpoint:
        """Return the type and size of a checkpoint, read only once for each key."""
        if key not in self.checkpoints:
            found = read()
            self.checkpoints[key] = (found.model_type, found.parameters, found.stored_bytes)
        kind, parameters, stored_bytes = self.checkpoints[key]
        return checkpoint.Checkpoint(model_type=kind, parameters=parameters, stored_bytes=stored_bytes)
