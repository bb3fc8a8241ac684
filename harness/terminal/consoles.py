"""The one kind of console that tables and bars are printed on: no text is markup, and none gives orders."""

import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from harness import text as words
from harness.terminal.printed import without_commands

PIPED = 160  # columns where nobody looks


class PlainConsole(Console):
    """Prints texts as they are: brackets are no markup, `:smile:` is no picture, and no character is an order."""

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
        """As rich does, but what it would drop without a word is shown."""
        return super().render_str(words.visible(text), **how)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Return what is written, with every remaining control character and command made harmless."""
        return without_commands(super()._render_buffer(_visible(buffer)))


def _visible(buffer: Iterable[Segment]) -> Iterator[Segment]:
    """Without characters that a terminal obeys, but for rich's own orders, which are segments of another kind."""
    for segment in buffer:
        yield segment if segment.control else Segment(words.visible(segment.text), segment.style)


def console() -> PlainConsole:
    """Return the console on standard output; plain and wide where that is piped."""
    return PlainConsole() if sys.stdout.isatty() else PlainConsole(width=PIPED)
