"""The door: words in, one call, print, exit code. Each command imports what it needs when it runs."""

import os
import sys

import typer

from harness.cli import failures, gates, naming, results, running, sharing, stores, weights

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which base model should I fine-tune, and did the adapter help?",
)
for commands in (running, results, gates, weights, sharing, naming):
    app.add_typer(commands.app)
app.add_typer(stores.app, name="store")


def main() -> None:
    """The command `harness`: a failure is a line and an exit code, never a traceback."""
    # Processes that are started would else look for every module in the working folder first: a stranger's RESULT, say.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    sys.exit(failures.guarded(lambda: app(standalone_mode=False)))
