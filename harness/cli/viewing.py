"""The command that shows many RESULTs in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import STORE
from harness.commands.asked import STORE_VARIABLE
from harness.errors import HarnessError
from harness.terminal.printed import say, warn

app = typer.Typer(rich_markup_mode=None)


@app.command()
def view(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A folder that contains RESULTs, also in folders of it."),
    ],
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write the pages to this folder, for any static web server."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port of 127.0.0.1 to serve at; default: a free one."),
    ] = None,
    store: Annotated[
        Path, typer.Option("--store", help="The store whose runs are shown live.", envvar=STORE_VARIABLE)
    ] = STORE,
    verify: Annotated[
        bool,
        typer.Option("--verify/--no-verify", help="Recompute every score before it enters the leaderboard."),
    ] = True,
) -> None:
    """Show many RESULTs in a browser: an index, comparisons, the leaderboard, trends, and runs that are going on.

    The server answers this machine only, until Ctrl-C. A bundle is for others: it has no texts of sources with
    `share: scores`, and no live part.
    """
    from harness import text as words
    from harness.commands import view as views

    if bundle is not None and port is not None:
        raise HarnessError(f"--port {port}: a bundle needs no server; leave out --port or --bundle")
    if bundle is None:
        views.serve(folder, store, port or 0, verified=verify, say=say, warn=warn)
        return
    count = views.write_bundle(folder, bundle, store, verified=verify, warn=warn)
    say(f"bundle  {bundle / 'index.html'} ({words.plural(count, 'page')})")
