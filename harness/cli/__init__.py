"""The command line: options in, one call, print, exit code. Each command imports what it needs when it runs."""

import os
import sys
from typing import Annotated

import typer

from harness._version import __version__
from harness.cli import (
    failures,
    gates,
    importing,
    lists,
    naming,
    results,
    running,
    sharing,
    stores,
    viewing,
    weights,
)
from harness.terminal.printed import say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which base model should I fine-tune, and did the adapter help?\n\n"
    "Start with `harness run quickstart`. A run keeps finished steps in a store and writes a RESULT: a folder with "
    "scores, answers and a report. The other commands prepare runs or read RESULTs.",
)
for commands in (running, results, viewing, gates, weights, sharing, lists, naming):
    app.add_typer(commands.app)
app.add_typer(stores.app, name="store")
app.add_typer(importing.app, name="import")


def _print_version(asked: bool) -> None:
    if asked:
        say(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options of `harness` itself; its help is that of `app`."""


def main() -> None:
    """Run the command `harness`: a failure becomes a line and an exit code, never a traceback."""
    # Otherwise a started process would look for modules in the working folder first, such as somebody else's RESULT.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    sys.exit(failures.guarded(lambda: app(prog_name="harness", standalone_mode=False)))
