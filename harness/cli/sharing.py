"""Commands that make something of a RESULT for others."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completing
from harness.cli.options import Offline
from harness.errors import HarnessError
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="The format: csv, parquet, lm-eval, mlflow, tensorboard, trackio, wandb, or the name of a plug-in.",
            autocompletion=completing.exports,
        ),
    ],
    uri: Annotated[
        str | None,
        typer.Option(
            help="Where mlflow stores runs: sqlite:///FILE, file:FOLDER or the address of a server."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder to write; for all formats but mlflow.")
    ] = None,
    offline: Offline = False,
) -> None:
    """Export a RESULT to tables, to a tracker of experiments, or to the files of lm-evaluation-harness.

    Texts of sources with `share: scores` are left out.
    """
    from harness.commands.export import export as export_result

    say(export_result(result, to, uri=uri, out=out, offline=offline))


@app.command()
def card(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    model: Annotated[str, typer.Option(help="The base model, as the suite names it.")],
    adapter: Annotated[str, typer.Option(help="The adapter, as the scores name it.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The file or folder to write; default RESULT/cards/MODEL--ADAPTER/README.md."
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="The adapter's licence, as the hub writes it: apache-2.0.")
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Also commit the card to this repository of the hub."),
    ] = None,
    offline: Offline = False,
) -> None:
    """Write an adapter's model card: the README.md for the hub.

    It has the scores beside the base's, the recipe, how to load the adapter, and what the scores do not show.
    """
    from harness.commands import card as cards
    from harness.types import System

    if push and offline:
        raise HarnessError(f"--push {push}: --offline allows no network; leave out one of the two")
    system = System(model=model, adapter=adapter)
    path = cards.write(result, system, out, licence=licence, place=push)
    say(f"card  {path}")
    if push:
        say(f"pushed  {cards.push(path, push)}")
