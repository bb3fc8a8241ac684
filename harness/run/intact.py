"""Whether a finished step is still what it was when it finished: size and digest of every file, kept in its step.json.

Files up to LARGE are read each time that somebody asks; larger ones, adapters' weights say, once a process.
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
LARGE = 16 * 2**20  # bytes; SHA-256 reads so much in some 30 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a file was when its step finished."""

    bytes: int
    sha256: str


def sealed(folder: Path, record: Mapping[str, object]) -> dict[str, object]:
    """Return the step's record with the seal of each of its files, and with a digest of the record itself."""
    files = {
        path.relative_to(folder).as_posix(): to_json(
            Seal(bytes=path.stat().st_size, sha256=file_digest(path))
        )
        for path in sorted(
            folder.rglob("[!.]*")
        )  # hidden ones are a file system's, or were about to be renamed
        if path.is_file() and path != folder / RECORD
    }
    whole = {**to_json(dict(record)), "files": files}
    return {**whole, "digest": digest(whole)}


def read_record(folder: Path) -> dict[str, Any]:
    """Return what was written when a step finished; raise StoreError where that is damaged."""
    try:
        record = read_json(folder / RECORD)
    except OSError as error:
        raise StoreError(f"{RECORD}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{RECORD}: is not JSON") from error
    if not isinstance(record, dict) or not all(
        isinstance(record.get(key), kind) for key, kind in (("kind", str), ("label", str), ("seconds", float))
    ):
        raise StoreError(f"{RECORD}: is no step's record")
    try:
        changed = "digest" in record and record["digest"] != digest(
            {key: value for key, value in record.items() if key != "digest"}
        )
    except ValueError:  # NaN, which no record has
        changed = True
    if changed:
        raise StoreError(f"{RECORD}: changed since the step finished")
    return record


@dataclass(slots=True)
class Inspector:
    """Looks at finished steps, and reads the large files of each only once."""

    _read: dict[Path, int] = field(default_factory=dict)  # folder whose large files were whole -> its inode

    def damage(self, folder: Path, *, large: bool = True) -> str | None:
        """Return the first thing that is wrong with a finished step; None where it is whole, or has no digests."""
        try:
            inode = folder.stat().st_ino
            seals = _seals(read_record(folder))
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except StoreError as error:
            return str(error)
        large = large and self._read.get(folder) != inode
        for name, seal in (seals or {}).items():
            if said := _wrong(folder / name, seal, read=large or seal.bytes <= LARGE):
                return f"{name}: {said}"
        if large:
            self._read[folder] = inode
        return None


def undigested(folder: Path) -> bool:
    """Return whether a whole step was written before steps kept digests."""
    return _seals(read_record(folder)) is None


def _seals(record: Mapping[str, Any]) -> Mapping[str, Seal] | None:
    if "files" not in record:
        return None
    try:
        return {name: from_json(Seal, seal) for name, seal in record["files"].items()}
    except (AttributeError, ValidationError) as error:
        raise StoreError(f"{RECORD}: is no step's record") from error


def _wrong(path: Path, seal: Seal, *, read: bool) -> str | None:
    try:
        found = path.stat().st_size
        if found != seal.bytes:
            return f"has {found} bytes, had {seal.bytes} when the step finished"
        if read and file_digest(path) != seal.sha256:
            return "changed since the step finished"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None
