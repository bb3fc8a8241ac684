"""The command line: options in, one call, print, exit code. Each command imports what it needs when it runs."""

import os
import sys

import typer

from harness.cli import failures, gates, naming, results, running, sharing, stores, weights

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which base model should I fine-tune, and did the adapter help?\n\n"
    "Start with `harness run quickstart`. A run keeps finished steps in a store and writes a RESULT: a folder with "
    "scores, answers and a report. The other commands prepare runs or read RESULTs.",
)
for commands in (running, results, gates, weights, sharing, naming):
    app.add_typer(commands.app)
app.add_typer(stores.app, name="store")


def main() -> None:
    """Run the command `harness`: a failure becomes a line and an exit code, never a traceback."""
    # Otherwise a started process would look for modules in the working folder first, such as somebody else's RESULT.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    sys.exit(failures.guarded(lambda: app(standalone_mode=False)))
