"""Detect damage to finished steps, by the size and digest of every file that each step's step.json records.

Files up to LARGE are read at each check; larger files, such as adapters' weights, once in a process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.digest import digest
from harness.errors import StoreError
from harness.files.json_lines import from_json, read_json, to_json
from harness.files.regular import file_digest

RECORD = "step.json"
LARGE = 16 * 2**20  # bytes; SHA-256 takes some 30 ms for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The size and digest of a file when its step finished."""

    bytes: int
    sha256: str


def sealed(folder: Path, record: Mapping[str, object]) -> dict[str, object]:
    """Return a step's record with the seal of each of its files and a digest of the record itself."""
    files = {
        path.relative_to(folder).as_posix(): to_json(
            Seal(bytes=path.stat().st_size, sha256=file_digest(path))
        )
        # Hidden files belong to the file system, or were about to be renamed.
        for path in sorted(folder.rglob("[!.]*"))
        if path.is_file() and path != folder / RECORD
    }
    whole = {**to_json(dict(record)), "files": files}
    return {**whole, "digest": digest(whole)}


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record that was written when a step finished; raise StoreError if it is damaged."""
    try:
        record = read_json(folder / RECORD)
    except OSError as error:
        raise StoreError(f"{RECORD}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{RECORD}: is not JSON") from error
    if not isinstance(record, dict) or not all(
        isinstance(record.get(key), kind) for key, kind in (("kind", str), ("label", str), ("seconds", float))
    ):
        raise StoreError(f"{RECORD}: is not the record of a step")
    try:
        changed = "digest" in record and record["digest"] != digest(
            {key: value for key, value in record.items() if key != "digest"}
        )
    except ValueError:  # NaN, which no record contains
        changed = True
    if changed:
        raise StoreError(f"{RECORD}: changed since the step finished")
    return record


@dataclass(slots=True)
class Inspector:
    """Checks finished steps for damage; reads the large files of each step only once."""

    _read: dict[Path, int] = field(
        default_factory=dict
    )  # folder whose large files were undamaged -> its inode

    def damage(self, folder: Path, *, large: bool = True) -> str | None:
        """Return the first fault of a finished step; None if there is none, or if the step has no digests."""
        try:
            inode = folder.stat().st_ino
            seals = _seals(read_record(folder))
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except StoreError as error:
            return str(error)
        large = large and self._read.get(folder) != inode
        for name, seal in (seals or {}).items():
            if fault := _fault(folder / name, seal, read=large or seal.bytes <= LARGE):
                return f"{name}: {fault}"
        if large:
            self._read[folder] = inode
        return None


def undigested(folder: Path) -> bool:
    """Return whether an undamaged step was written by a version of the harness that recorded no digests."""
    return _seals(read_record(folder)) is None


def _seals(record: Mapping[str, Any]) -> Mapping[str, Seal] | None:
    if "files" not in record:
        return None
    try:
        return {name: from_json(Seal, seal) for name, seal in record["files"].items()}
    except (AttributeError, ValidationError) as error:
        raise StoreError(f"{RECORD}: is not the record of a step") from error


def _fault(path: Path, seal: Seal, *, read: bool) -> str | None:
    """Return how a file differs from its seal; None if it does not."""
    try:
        size = path.stat().st_size
        if size != seal.bytes:
            return f"has {size} bytes, had {seal.bytes} when the step finished"
        if read and file_digest(path) != seal.sha256:
            return "changed since the step finished"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None
