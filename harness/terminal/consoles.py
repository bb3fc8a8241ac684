"""The console on which tables and progress bars are printed: no text is taken for markup or for a command."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from harness import text as words
from harness.terminal.printed import without_commands

PIPED = 160  # columns if the output is piped


class PlainConsole(Console):
    """A rich console that prints text as it is: no markup, no emoji codes, no control characters, no commands."""

    def __init__(
        self,
        *,
        stderr: bool = False,
        file: IO[str] | None = None,
        width: int | None = None,
        force_terminal: bool | None = None,
    ) -> None:
        super().__init__(
            stderr=stderr,
            file=file,
            width=width,
            force_terminal=force_terminal,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def render_str(self, text: str, **how: Any) -> Text:  # rich's own arguments
        """Render as rich does, but show the characters that rich would drop silently."""
        return super().render_str(words.visible(text), **how)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Return the output with all remaining control characters and commands made harmless."""
        return without_commands(super()._render_buffer(_visible(buffer)))


def _visible(buffer: Iterable[Segment]) -> Iterator[Segment]:
    """Replace control characters in text; rich's own control segments pass unchanged."""
    for segment in buffer:
        yield segment if segment.control else Segment(words.visible(segment.text), segment.style)


def output_and_errors_go_together() -> bool:
    """Return whether standard output and standard error are one terminal or one file, so that a reader sees both."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no real file
        return False


def console() -> PlainConsole:
    """Return the console on standard output; plain and PIPED columns wide if it is piped."""
    return PlainConsole() if sys.stdout.isatty() else PlainConsole(width=PIPED)
