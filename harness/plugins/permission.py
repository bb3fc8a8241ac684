"""Whose code a metric's name may run: a name in a RESULT runs none.

A plug-in may run what follows the colon of a metric's name: `evaluate:PATH` is a program, `evaluate:OWNER/NAME` is fetched
and then run. So it matters who wrote the name: the user, in a suite or on the command line, or whoever made a RESULT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.errors import ForeignCode
from harness.files.regular import file_digest

NOT_OURS = "its code is not part of this harness"


class Code(Protocol):
    """What may be run of what a metric's name has after its colon."""

    def permit(self, name: str, argument: str) -> str:
        """Return what the plug-in may be given; ForeignCode where it may be given nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Metrics of this harness and of installed packages, and no others."""

    def permit(self, name: str, argument: str) -> str:
        raise ForeignCode(f"{name}: {NOT_OURS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whatever the user named, in a suite or on the command line."""

    def permit(self, name: str, argument: str) -> str:
        return argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A program that the user was shown before it runs."""

    path: Path  # absolute
    digest: str  # sha-256 of its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedScripts:
    """What `--allow-code` allows: scripts whose paths and digests the user was shown, as they were then."""

    scripts: Mapping[str, Script]  # by what the metric's name has after its colon
    refused: Mapping[str, str] = field(default_factory=dict)  # likewise; why not

    def permit(self, name: str, argument: str) -> str:
        script = self.scripts.get(argument)
        if script is None:
            raise ForeignCode(f"{name}: {NOT_OURS}, and {self.refused.get(argument, 'it was not shown')}")
        if not script.path.is_file() or file_digest(script.path) != script.digest:
            raise ForeignCode(f"{name}: {NOT_OURS}, and it changed after it was shown")
        return str(script.path)


OWN, NAMED = Own(), Named()
