"""The door: words in, one call, print, exit code. Each command imports what it needs when it runs."""

import os
import sys

import typer

from harness.cli import gates, naming, results, running, sharing, stores, weights
from harness.errors import HarnessError
from harness.report.printed import warn

STOPPED = 130  # exit code after Ctrl-C or SIGTERM

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
    try:
        code = app(standalone_mode=False)
    except HarnessError as error:
        warn(f"error: {error}")
        code = error.exit_code
    except typer.Exit as left:
        code = left.exit_code
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # typer's own copy of click's errors has it
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader, `head` say, has gone
        code = 0
    if code == STOPPED:  # typer, too, turns Ctrl-C into this code
        warn("stopped; the same command continues where this one was")
    sys.exit(code)
