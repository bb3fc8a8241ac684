"""What was found out about a matrix, under the digest of its bytes: every adapter and every run of a store shares it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from harness.digest import digest
from harness.records import from_json, to_json
from harness.types import Density

VERSION = 1  # raised when the same bytes give other numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row's status and its numbers."""

    status: str
    numbers: Mapping[str, float]
    density: Density | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of findings; none where nothing is kept."""

    folder: Path | None

    def find(self, key: str) -> Finding | None:
        if self.folder is None:
            return None
        try:
            return from_json(Finding, json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError):  # not there, or torn by a crash of the machine
            return None

    def keep(self, key: str, finding: Finding) -> Finding:
        if self.folder is not None:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
            fresh.write_text(json.dumps(to_json(finding)), encoding="utf-8")
            fresh.replace(path)
        return finding

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.json"


NOTHING_KEPT = Kept(None)


def key(*parts: object) -> str:
    return digest(VERSION, *parts)
