"""Everything that is printed goes through here or through `consoles`: foreign text gives no orders.

Characters that a terminal would obey are shown by their code points, and no line begins with what GitHub's runner takes for
a command: names, sample ids and messages of libraries can hold both.
"""

import re
import sys
from collections.abc import Iterable

from harness import text as words

# `::error::…` is a command at the beginning of a line, after blanks; `##[error]…` anywhere in it. A terminal's colours may
# stand between, which are our own: those of foreign text are shown by their code points.
_COLOURS = "(?:\x1b\\[[0-9;]*m)*"
_COMMAND = re.compile(f"^((?:[^\\S\n]|\x1b\\[[0-9;]*m)*:)(?={_COLOURS}:)", re.MULTILINE)
_OLD_COMMAND = re.compile(f"#(?={_COLOURS}#{_COLOURS}\\[)")


def say(text: object = "") -> None:
    """Print the text on standard output."""
    print(safe(str(text)))


def warn(text: object) -> None:
    """Print the text on standard error, at once."""
    print(safe(str(text)), file=sys.stderr, flush=True)


def say_json(text: str) -> None:
    """Print a JSON document whose other characters are escaped already; what it holds stays as it is."""
    print(text.replace("##[", "\\u0023#["))


def command(lines: Iterable[str]) -> None:
    """Print what GitHub's runner shall obey: lines of `report.github`, which escapes what stands in them."""
    print("\n".join(lines))


def safe(text: str) -> str:
    """Return the text as it may be printed: nothing in it is an order to a terminal or to GitHub's runner."""
    return without_commands(words.visible(text))


def without_commands(text: str) -> str:
    """Part what GitHub's runner would take for a command, in a text whose only escape sequences are colours."""
    return _OLD_COMMAND.sub("# ", _COMMAND.sub(r"\1 ", text))
