"""Write docs/options.md: every command with its arguments and options, from the program itself."""

from collections.abc import Iterator
from typing import Any

import typer.main

from harness.cli import app
from tools.docs.tables import code, table

HEAD = """\
# Every command and option

This page is written by `python -m tools.docs` from the program itself. `harness COMMAND --help` prints the same.
[Commands](commands.md) says in a line what each is for, and lists the exit codes.
"""


def page() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    parts = [HEAD, *_general(group)]
    for name, command in group.commands.items():
        parts += _command((name,), command)
    return "\n".join(parts)


def _general(group: Any) -> Iterator[str]:
    rows = list(_parameters(group))
    if rows:
        yield "## harness\n\n" + table(("option", "meaning"), rows) + "\n"


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    yield f"{'#' * (1 + len(path))} harness {' '.join(path)}\n"
    yield _about(command.help or "")
    rows = list(_parameters(command))
    if rows:
        yield table(("argument or option", "meaning"), rows) + "\n"
    for name, each in getattr(command, "commands", {}).items():
        yield from _command((*path, name), each)


def _about(text: str) -> str:
    return text.strip().replace("\f", "") + "\n"


def _parameters(command: Any) -> Iterator[tuple[str, str]]:
    """Yield each argument and option with its meaning, as `--help` prints them."""
    context = command.make_context("harness", [], resilient_parsing=True)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            written, meaning = record
            yield code(written), meaning
