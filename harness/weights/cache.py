"""The cache of spectra: the result of a matrix under the digest of its bytes, for every adapter and run of a store."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from harness.digest import digest
from harness.files.json_lines import from_json, to_json
from harness.types import Density

VERSION = 1  # raised when the same bytes give other numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """The result of one matrix: its status and its numbers."""

    status: str
    numbers: Mapping[str, float]
    density: Density | None = None


@dataclass(frozen=True, slots=True)
class SpectrumCache:
    """A folder of results; without a folder nothing is cached."""

    folder: Path | None

    def find(self, name: str) -> LayerResult | None:
        """Return the result of that name; None where there is none."""
        if self.folder is None:
            return None
        try:
            return from_json(LayerResult, json.loads(self._path(name).read_text(encoding="utf-8")))
        except (OSError, ValueError):  # not there, or torn by a crash of the machine
            return None

    def keep(self, name: str, result: LayerResult) -> LayerResult:
        """Write a result to the cache, and return it."""
        if self.folder is not None:
            _write(self._path(name), json.dumps(to_json(result)))
        return result

    def remembered(self, identity: str) -> bytes | None:
        """Return the digest of bytes whose file still has the same size, time and inode; None where it is unknown."""
        if self.folder is None:
            return None
        try:
            return bytes.fromhex(self._path(key(identity)).with_suffix(".digest").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def remember(self, identity: str, digest: bytes) -> None:
        """Write the digest of the bytes that have this identity to the cache."""
        if self.folder is not None:
            _write(self._path(key(identity)).with_suffix(".digest"), digest.hex())

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name[:2] / f"{name}.json"


NO_CACHE = SpectrumCache(None)


def key(*parts: object) -> str:
    """Return the name under which the result that these parts identify is cached."""
    return digest(VERSION, *parts)


def _write(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
