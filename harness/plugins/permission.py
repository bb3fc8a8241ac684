"""Decide whose code a metric's name may run: a name in a RESULT runs none.

A plug-in may run the program that follows the colon of a metric's name: `evaluate:PATH` is a file, `evaluate:OWNER/NAME`
is downloaded and then run. So it matters who wrote the name: the user, in a suite or on the command line, or the unknown
author of a RESULT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.errors import ForeignCode
from harness.files.regular import file_digest

NOT_OURS = "its code is not part of this harness"


class Code(Protocol):
    """A permission to run programs that metrics' names have after their colon."""

    def permit(self, name: str, argument: str) -> str:
        """Return the program that the plug-in may run; raise ForeignCode if it may run none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Permits metrics of this harness and of installed packages, and no programs."""

    def permit(self, name: str, argument: str) -> str:
        """Raise ForeignCode."""
        raise ForeignCode(f"{name}: {NOT_OURS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Permits every program that the user named, in a suite or on the command line."""

    def permit(self, name: str, argument: str) -> str:
        """Return the program as it is named."""
        return argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A program that the user was shown before it runs."""

    path: Path  # absolute
    digest: str  # sha-256 of its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedScripts:
    """Permits the scripts of `--allow-code`: the user was shown their paths and digests, and they did not change since."""

    scripts: Mapping[str, Script]  # by the text after the colon of the metric's name
    refused: Mapping[str, str] = field(default_factory=dict)  # likewise -> why it is not permitted

    def permit(self, name: str, argument: str) -> str:
        """Return the script's path; raise ForeignCode if it was not shown, or changed since."""
        script = self.scripts.get(argument)
        if script is None:
            raise ForeignCode(f"{name}: {NOT_OURS}, and {self.refused.get(argument, 'it was not shown')}")
        if not script.path.is_file() or file_digest(script.path) != script.digest:
            raise ForeignCode(f"{name}: {NOT_OURS}, and it changed after it was shown")
        return str(script.path)


OWN, NAMED = Own(), Named()
