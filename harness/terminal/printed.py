"""Print text safely: everything that is printed goes through here or through `consoles`.

Control characters are shown by their code points, and no line begins with what GitHub's runner takes for
a command: names, sample ids and messages of libraries can contain both.
"""

import re
import sys
from collections.abc import Iterable

from harness import text as words

# `::error::…` is a command at the beginning of a line, after blanks; `##[error]…` anywhere in it. A terminal's colours may
# stand between; they are our own, since those in foreign text are shown by their code points.
_COLOURS = "(?:\x1b\\[[0-9;]*m)*"
_COMMAND = re.compile(f"^((?:[^\\S\n]|\x1b\\[[0-9;]*m)*:)(?={_COLOURS}:)", re.MULTILINE)
_OLD_COMMAND = re.compile(f"#(?={_COLOURS}#{_COLOURS}\\[)")


def say(text: object = "") -> None:
    """Print the text on standard output."""
    print(safe(str(text)))


def warn(text: object) -> None:
    """Print the text on standard error and flush."""
    print(safe(str(text)), file=sys.stderr, flush=True)


def say_json(text: str) -> None:
    """Print a JSON document, whose control characters are escaped already; its content stays the same."""
    print(text.replace("##[", "\\u0023#["))


def command(lines: Iterable[str]) -> None:
    """Print workflow commands for GitHub's runner: lines from `report.github`, which escapes their content."""
    print("\n".join(lines))


def safe(text: str) -> str:
    """Return the text without anything that a terminal or GitHub's runner would take for a command."""
    return without_commands(words.visible(text))


def without_commands(text: str) -> str:
    """Insert a blank into anything that GitHub's runner would take for a command; colours are left alone."""
    return _OLD_COMMAND.sub("# ", _COMMAND.sub(r"\1 ", text))
